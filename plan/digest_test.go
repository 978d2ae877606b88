package plan

import (
	"strings"
	"testing"

	"github.com/xshare/xshare/internal/iampolicy"
)

// What was applied has the digest that the next comparison finds.
func TestDigest(t *testing.T) {
	p := &Plan{Repository: "acme"}
	ours := `{"Sid": "` + iampolicy.MarkPrefix("acme") + `0123456789", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:role/reader"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}`
	foreign := `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}`
	document := func(statements ...string) []byte {
		return []byte(`{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ",") + `]}`)
	}
	alone := p.Digest(BucketPolicy{Bucket: "b", Document: document(ours)})
	if !strings.HasPrefix(alone, "sha256:") {
		t.Fatalf("got %q", alone)
	}
	if with := p.Digest(BucketPolicy{Bucket: "b", Document: document(foreign, ours)}); with != alone {
		t.Error("a foreign statement counts")
	}
	if inPolicy := p.Digest(Policy{Name: "p", Document: document(ours)}); inPolicy != alone {
		t.Error("a managed policy's differs from a bucket policy's")
	}
	for name, state := range map[string]Resource{
		"nothing": nil, "no document": BucketPolicy{Bucket: "b"}, "no statement of ours": BucketPolicy{Document: document(foreign)},
		"no policy": Policy{Document: []byte("{")},
	} {
		if got := p.Digest(state); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	role := Role{Name: "reader"}
	if got, want := p.Digest(role), digestJSON(role); got != want {
		t.Errorf("role: %s, want %s", got, want)
	}
}
