package main

import (
	"context"
	"testing"

	"github.com/varsel/varsel/internal/db/dbtest"
)

// The demo's exit code rests on this comparison, so it must be able to fail.
func TestTheDemoNoticesWhenThePeersCountedOtherwise(t *testing.T) {
	show, err := newDemo(context.Background(), Config{DatabaseURL: dbtest.SQLiteURL(t), Listen: "127.0.0.1:0"}, demoCommand{Once: true, People: 20})
	must(t, err)
	defer show.close()
	must(t, show.app.Work(t.Context(), roleAll))
	bar := newProgress(nil, true)
	run, err := show.watchSync(t.Context(), bar)
	must(t, err)
	cam, err := show.watchCampaign(t.Context(), bar)
	must(t, err)
	honest := summary(run, cam)
	if wrong := show.disagreements(honest); len(wrong) != 0 {
		t.Errorf("%v", wrong)
	}
	for what, lie := range map[string]func(*result){
		"people":     func(r *result) { r.People++ },
		"recipients": func(r *result) { r.Recipients-- },
		"submitted":  func(r *result) { r.Submitted++ },
		"delivered":  func(r *result) { r.Delivered-- },
	} {
		told := honest
		lie(&told)
		if len(show.disagreements(told)) == 0 {
			t.Errorf("a wrong number of %s goes unnoticed", what)
		}
	}
}
