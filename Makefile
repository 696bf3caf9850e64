# Short names for what the scripts do; they need no make themselves.

build:
	CGO_ENABLED=0 go build -o bin/nxport ./cmd/nxport

story:
	scripts/story

test:
	scripts/test

# With TREE=directory, that tree is evaluated and scanned too.
bench:
	NXPORT_BENCH_TREE="$(abspath $(TREE))" NXPORT_BENCH_IMAGES="$(abspath $(IMAGES))" go test -run '^$$' -bench . -benchmem ./...

.PHONY: build story test bench
