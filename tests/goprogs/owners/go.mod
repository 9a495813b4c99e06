module limpet/goprogs/owners

go 1.22

require (
	github.com/golang/groupcache v0.0.0-20210331224755-41bb18bfe9da
	github.com/hashicorp/golang-lru/v2 v2.0.7
	limpet/goprogs v0.0.0
)

replace limpet/goprogs => ../
