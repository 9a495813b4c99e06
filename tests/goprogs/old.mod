// For Go before 1.22, which refuses the go line of go.mod: go build -modfile=old.mod.
module limpet/goprogs

go 1.18
