# The shape of the day. `make run` and `make test` need nothing but Go.

GO        ?= go
# Everything but the one package that imports the Graph SDK, and the program
# that links it: under the race detector those compile for many minutes.
LIGHT      = $(shell $(GO) list ./... | grep -v -e /directory/graph$$ -e /cmd/varsel$$)
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
RESULTS    = build/test.json
# For one package: most of what the longest do is waiting, on a machine that may be slow.
PATIENCE   = 45m

.PHONY: run test check bench drill golden

run:
	$(GO) run ./cmd/varsel demo

test:
	$(GO) test -timeout $(PATIENCE) $(TESTFLAGS) ./...

# What CI runs; a skipped test is a failure.
check:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not formatted:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(STATICCHECK) $(LIGHT)
	$(GO) test -race -timeout $(PATIENCE) -count=1 $(LIGHT)
	@mkdir -p build
	$(MAKE) --no-print-directory test TESTFLAGS=-json > $(RESULTS) || { grep -E '_test.go:|FAIL|panic' $(RESULTS) | tail -100; exit 1; }
	@! grep -h '"Action":"skip"' $(RESULTS) | grep '"Test"' || { echo "a test was skipped"; exit 1; }
	@echo "$$(grep -c '"Action":"pass".*"Test"' $(RESULTS)) passed, 0 failed"

bench:
	$(GO) test -run '^$$' -bench . -benchtime 1x -count 3 -timeout $(PATIENCE) ./smsqueue
	$(GO) test -run '^$$' -bench . -benchtime 1x -count 3 -timeout $(PATIENCE) ./directory/graph
	$(GO) test -run '^$$' -bench CardPage -benchtime 1x -count 3 -timeout $(PATIENCE) ./web

# Many more random histories, texts and crashes than a test has time for, and an
# SMSC that does everything wrong for half an hour.
drill:
	VARSEL_LEDGER_EVENTS=1000000 $(GO) test -count=1 -timeout 3h -run AddsUpUnder -v ./billing
	VARSEL_CRASHES=200 $(GO) test -count=1 -timeout 3h -run CrashMatrix -v ./smsqueue
	VARSEL_MOVES=20000 $(GO) test -count=1 -timeout 1h -run MoneyMovesOnce -v ./smsqueue
	VARSEL_STOP_RECIPIENTS=100000 $(GO) test -count=1 -timeout 1h -run StopBlocks -v ./smsqueue
	VARSEL_HISTORIES=5000 $(GO) test -count=1 -timeout 3h -run AnyHistory -v ./directory/graph
	VARSEL_STRINGS=1000000 $(GO) test -count=1 -timeout 3h -run Definition -v ./smsqueue/smstext
	VARSEL_SOAK=30 $(GO) test -count=1 -timeout 1h -run Soak -v ./smsqueue/carriers/smpp

golden:
	$(GO) test ./web -update
