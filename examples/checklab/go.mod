module limpet/checklab

go 1.22
