module heap10m

go 1.21
