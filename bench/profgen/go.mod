module profgen

go 1.18
