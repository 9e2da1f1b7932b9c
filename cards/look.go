package cards

import (
	"context"
	"strings"
	"sync"

	"github.com/varsel/varsel/cards/qr"
	"github.com/varsel/varsel/internal/problem"
)

// lookKey is all that a look is made of: images never change.
type lookKey struct {
	account, logo int64
	code          Code
}

// mostLooks is how many are kept; who designs makes many that nobody needs again.
const mostLooks = 500

type looks struct {
	mu   sync.Mutex
	made map[lookKey]*qr.Look
}

func (l *looks) find(k lookKey) *qr.Look {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.made[k]
}

func (l *looks) keep(k lookKey, look *qr.Look) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil || len(l.made) >= mostLooks {
		l.made = map[lookKey]*qr.Look{}
	}
	l.made[k] = look
}

// Look is how the codes of a template's cards look, with the logo read. It is made once.
func (c *Cards) Look(ctx context.Context, account int64, b Body) (*qr.Look, error) {
	key := lookKey{account: account, code: b.Code}
	if b.Code.Logo {
		key.logo = b.Looks.Logo
	}
	if made := c.looks.find(key); made != nil {
		return made, nil
	}
	var logo []byte
	if key.logo != 0 {
		i, err := c.Image(ctx, account, key.logo)
		if err != nil {
			return nil, err
		}
		logo = i.Content
	}
	look, err := qr.NewLook(b.Code.style(logo))
	if err != nil {
		return nil, underCode(err)
	}
	c.looks.keep(key, look)
	return look, nil
}

// The addresses that a style has to be readable with: the shortest that an installation
// can have, which leaves the least room for a logo, and one that is longer than most, in
// small letters, with the most modules.
var shortest, longest = CodeAddress("https://a.no", strings.Repeat("z", 16)),
	Address("https://"+strings.Repeat("w", 60)+".example/"+strings.Repeat("p", 20), strings.Repeat("z", 16))

// readable refuses a style whose codes cannot be read back (qr_unreadable) or have no room
// for the logo (qr_logo_too_large).
func (c *Cards) readable(ctx context.Context, account int64, b Body) error {
	look, err := c.Look(ctx, account, b)
	if err == errNoImage {
		return errNoLogo
	}
	if err != nil {
		return err
	}
	for _, address := range []string{shortest, longest} {
		code, err := look.Code(address)
		if err == nil {
			err = code.Verify()
		}
		if p := problem.As(err); p != nil {
			return under("code", err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
