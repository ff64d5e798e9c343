module coverage

go 1.21
