package campaign

import (
	"testing"

	"github.com/xshare/xshare/internal/sandbox"
)

// TestBucketThatTakesNoWrite has a share go away whose bucket takes no write at
// the time. That is told, and the role's side is closed all the same, so nothing
// is open. The bucket's statement is left, which gives nothing by itself: the
// role keeps another share, so its policy is narrowed, and no longer leads to a
// bucket that no share names.
func TestBucketThatTakesNoWrite(t *testing.T) {
	old, err := everythingOld().load()
	if err != nil {
		t.Fatal(err)
	}
	w, u := newWorld(t, old, nil, sandbox.Options{}), modelUniverse()
	w.clock = newClock(t)
	defer w.close(t)
	reader := modelConsumer{account: "analytics", role: "reader", create: true, access: []string{"read"}}
	m := &model{shares: map[string]*modelShare{
		"goes":  {bucket: "old-lake", consumers: []modelConsumer{reader}},
		"stays": {bucket: "old-apps", consumers: []modelConsumer{reader}},
	}}
	repo, err := m.load()
	if err != nil {
		t.Fatal(err)
	}
	if a := w.apply(t, repo); !a.succeeded() {
		t.Fatal(few(a.why()))
	}
	delete(m.shares, "goes")
	if repo, err = m.load(); err != nil {
		t.Fatal(err)
	}
	if err := w.server.SetFaults([]sandbox.Fault{{Service: "s3", Operation: "DeleteBucketPolicy", Kind: "error", Code: "AccessDenied", Status: 403}}); err != nil {
		t.Fatal(err)
	}
	if a := w.apply(t, repo); a.succeeded() {
		t.Error("it says that a bucket is closed that takes no write")
	}
	live := w.read(t, u)
	for _, q := range u.questions("arn:aws:iam::222222222222:role/reader", "old-lake") {
		if live.allows(q).both {
			t.Errorf("%s is open", q)
		}
	}
}
