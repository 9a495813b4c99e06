module limpet/seeds

go 1.22
