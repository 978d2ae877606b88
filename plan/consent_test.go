package plan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// saved is a plan document as read back from a file.
func saved(t *testing.T, c *Changes) *Document {
	t.Helper()
	text, err := c.Document("").JSON()
	if err != nil {
		t.Fatal(err)
	}
	d, err := ReadDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConsent(t *testing.T) {
	wider := strings.Replace(recipe, "[read, write]", "[read, write, delete]", 1)
	tests := map[string]struct {
		live    func(t *testing.T, l live) // after the plan was saved
		planned string                     // the share when the plan was saved
		now     string                     // and when it is applied; empty: the same
		options Options
		forge   func(d *Document)
		stale   string // what is said; empty: the plan still holds
	}{
		"nothing happened": {planned: wider},
		"some of it is done already": {
			planned: wider,
			live: func(t *testing.T, l live) {
				p := build(t, load(t, wider), everything)
				c := Compare(p, l, Options{})
				find(t, c, bucketPolicyID).Action = Noop // all but this
				l.apply(t, c)
			},
		},
		"all of it is done already": {
			planned: wider,
			live: func(t *testing.T, l live) {
				l.apply(t, Compare(build(t, load(t, wider), everything), l, Options{}))
			},
		},
		"a foreign statement changed": {
			planned: wider,
			live: func(_ *testing.T, l live) {
				b := l["111111111111"].Buckets["mybucket"]
				b.Policy = bytes.Replace(b.Policy, []byte(`"Statement":[`), []byte(`"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::mybucket/x"},`), 1)
			},
		},
		"the specs gain more": {
			planned: recipe, now: wider,
			stale: "does not update managed policy",
		},
		"another consumer": {
			planned: wider, now: strings.Replace(wider, "name: reader", "name: other", 1),
			stale: "does not create role other",
		},
		"somebody edited our statement": {
			planned: wider,
			live: func(_ *testing.T, l live) {
				b := l["111111111111"].Buckets["mybucket"]
				b.Policy = bytes.Replace(b.Policy, []byte(`"s3:GetObject",`), []byte(`"s3:GetObject","s3:PutObjectAcl",`), 1)
			},
			stale: "would lose access that the saved plan does not take",
		},
		"the role's trust policy changed": {
			planned: wider,
			live: func(_ *testing.T, l live) {
				l["222222222222"].Roles["reader"].Trust = []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`)
			},
			stale: "does not update role",
		},
		"a profile lost its role": {
			planned: wider,
			live:    func(_ *testing.T, l live) { l["222222222222"].Profiles["reader"].Role = "" },
			stale:   "does not update instance profile",
		},
		"other options": {planned: wider, options: Options{Adopt: true}, stale: "other options"},
		"another repository's": {
			planned: wider, forge: func(d *Document) { d.Repository = "theirs" }, stale: "is of repository theirs",
		},
		"forged to allow more than the specs say": {
			planned: wider,
			forge: func(d *Document) {
				text, _ := json.Marshal(d)
				text = bytes.ReplaceAll(text, []byte("s3:DeleteObject"), []byte("s3:*"))
				_ = json.Unmarshal(text, d)
			},
			stale: "would gain access that the saved plan does not give",
		},
		"forged to do less": {
			planned: wider,
			forge:   func(d *Document) { d.Steps = d.Steps[:1] },
			stale:   "does not update managed policy",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLive(build(t, load(t, recipe), everything))
			l.apply(t, Compare(build(t, load(t, recipe), everything), l, Options{}))
			file := saved(t, Compare(build(t, load(t, test.planned), everything), l, Options{}))
			if test.forge != nil {
				test.forge(file)
			}
			if test.live != nil {
				test.live(t, l)
			}
			now := test.now
			if now == "" {
				now = test.planned
			}
			problems := Compare(build(t, load(t, now), everything), l, test.options).Stale(file)
			if test.stale == "" {
				if len(problems) > 0 {
					t.Errorf("stale: %v", problems)
				}
				return
			}
			for _, p := range problems {
				if strings.Contains(p.Message, test.stale) && p.Mend != "" {
					return
				}
			}
			t.Errorf("nothing says %q: %v", test.stale, problems)
		})
	}
}

func TestReadDocumentRefuses(t *testing.T) {
	p := build(t, load(t, recipe), everything)
	good, err := Compare(p, newLive(p), Options{}).Document("").JSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ text, want string }{
		"empty":              {"", "cut short"},
		"cut short":          {string(good[:len(good)/2]), "cut short"},
		"another version":    {strings.Replace(string(good), `"formatVersion": 1`, `"formatVersion": 2`, 1), "format version is 2"},
		"no version":         {`{}`, "formatVersion is missing"},
		"unknown field":      {strings.Replace(string(good), `"commit"`, `"commits"`, 1), "no plan of this program"},
		"something after it": {string(good) + "{}", "cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ReadDocument([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
