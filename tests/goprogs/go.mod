module limpet/goprogs

go 1.22
