package graph

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"

	"github.com/varsel/varsel/directory"
)

var askingNotices = asking{"changes as they happen", "User.Read.All and Group.Read.All"}

// subscriber is a client that may write subscriptions, and is opened for nothing else.
type subscriber struct{ *source }

// Subscribe opens what subscribes to changes in the tenant's directory.
func Subscribe(c Config) (directory.Subscriber, error) {
	s, err := open(c, subscribing)
	if err != nil {
		return nil, err
	}
	return subscriber{s}, nil
}

// changes are all kinds: a person or group that is new, or deleted so that it can
// be restored, is told as updated.
const changes = "updated,deleted"

func (s subscriber) Subscribe(ctx context.Context, w directory.Subscription) (id string, until time.Time, err error) {
	raw, err := s.ask(ctx, askingNotices, s.writing(kiota.POST, "/subscriptions", map[string]string{
		"changeType": changes, "resource": "/" + w.Resource, "clientState": w.Secret, "expirationDateTime": stamp(w.Until),
		"notificationUrl": w.Address, "lifecycleNotificationUrl": w.Lifecycle, "latestSupportedTlsVersion": "v1_2",
	}))
	if err != nil {
		return "", time.Time{}, err
	}
	return readSubscription(raw)
}

// Renew also answers Graph's wish for reauthorization.
func (s subscriber) Renew(ctx context.Context, id string, until time.Time) (time.Time, error) {
	raw, err := s.ask(ctx, askingNotices, s.writing(kiota.PATCH, "/subscriptions/"+id, map[string]string{"expirationDateTime": stamp(until)}))
	if errors.Is(err, errNotFound) {
		return time.Time{}, directory.ErrNoSubscription
	}
	if err != nil {
		return time.Time{}, err
	}
	_, until, err = readSubscription(raw)
	return until, err
}

func (s subscriber) Unsubscribe(ctx context.Context, id string) error {
	_, err := s.ask(ctx, askingNotices, s.writing(kiota.DELETE, "/subscriptions/"+id, nil))
	if errors.Is(err, errNotFound) {
		return nil
	}
	return err
}

func (s subscriber) writing(method kiota.HttpMethod, path string, body map[string]string) func() (*kiota.RequestInformation, error) {
	return func() (*kiota.RequestInformation, error) {
		info, err := asLinked(s.root.String() + path)
		if err != nil {
			return nil, err
		}
		info.Method = method
		if body == nil {
			return info, nil
		}
		raw, err := json.Marshal(body)
		info.SetStreamContentAndContentType(raw, "application/json")
		return info, err
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func readSubscription(raw []byte) (id string, until time.Time, err error) {
	var answer struct {
		ID      string    `json:"id"`
		Expires time.Time `json:"expirationDateTime"`
	}
	if json.Unmarshal(raw, &answer) != nil || answer.ID == "" || answer.Expires.IsZero() {
		return "", time.Time{}, errNotAPage
	}
	return answer.ID, answer.Expires, nil
}
