package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/varsel/varsel/accounts"
)

const keyHeader = "Idempotency-Key"

// Once is the part of a request that makes it take effect once.
type Once struct {
	Key string `header:"Idempotency-Key" doc:"1 to 255 visible ASCII characters. For 24 hours the same request with the same key answers with what the first one made; another request with it is refused (409)."`
}

// do makes something a single time for a key: its id is answered, also to a repetition.
// path and body are what the request asks for.
func (o Once) do(ctx context.Context, s Services, path string, body any, make func(accounts.Take) (int64, error)) (int64, error) {
	once := accounts.Once{Account: chainOf(ctx), Key: o.Key, Hash: requestHash(http.MethodPost, path, body)}
	return once.Do(ctx, s.Accounts, make)
}

// checkKey refuses a key that cannot be kept. An empty one is a fault too: who
// sends it believes that the request takes effect once.
func checkKey(ctx huma.Context, next func(huma.Context)) {
	c := humafiber.Unwrap(ctx)
	sent := c.Request().Header.PeekAll(keyHeader)
	if len(sent) > 1 || len(sent) == 1 && !visible(sent[0]) {
		const text = "a key is 1 to 255 visible ASCII characters"
		send(c, newProblem(http.StatusUnprocessableEntity, "invalid_idempotency_key", text,
			Fault{In: "header", Pointer: "/" + keyHeader, Detail: text}))
		return
	}
	next(ctx)
}

func visible(key []byte) bool {
	for _, b := range key {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 255
}

// requestHash tells a repetition from another request with the same key. The
// body is taken as it was understood: spaces and the order of fields make no
// difference.
func requestHash(method, path string, body any) string {
	canonical, err := json.Marshal(body)
	if err != nil {
		panic(err) // a struct of strings
	}
	h := sha256.New()
	h.Write([]byte(method + " " + path + "\n"))
	h.Write(canonical)
	return hex.EncodeToString(h.Sum(nil))
}
