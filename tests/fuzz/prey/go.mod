module limpet/prey

go 1.22
