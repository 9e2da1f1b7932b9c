package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// Take keeps a key in the transaction that makes the resource it stands for. It is nil
// for a request without a key.
type Take func(ctx context.Context, tx *db.Tx, resource int64) error

var errKeyTaken = errors.New("the idempotency key is taken")

// Do makes something a single time for a key: make is given what keeps the key, and its
// resource is answered; for a repetition it is the one that was made before, and make
// is not called or made nothing.
func (o Once) Do(ctx context.Context, a *Accounts, make func(Take) (resource int64, err error)) (resource int64, err error) {
	if o.Key == "" {
		return make(nil)
	}
	resource, found, err := a.Replay(ctx, o.Account, o.Key, o.Hash)
	if err != nil || found {
		return resource, err
	}
	resource, err = make(func(ctx context.Context, tx *db.Tx, resource int64) error {
		o.Resource = resource
		free, err := TakeKey(ctx, tx, o, time.Now())
		if err == nil && !free {
			err = errKeyTaken
		}
		return err
	})
	if !errors.Is(err, errKeyTaken) {
		return resource, err
	}
	resource, _, err = a.Replay(ctx, o.Account, o.Key, o.Hash)
	return resource, err
}
