module limpet/selftest

go 1.22
