package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func entry(principal, action, when string) AccessEntry {
	return AccessEntry{Principal: principal, Action: action, Resource: "arn:aws:s3:::mybucket/*", When: when, Step: bucketPolicyID}
}

func TestConsentToAccess(t *testing.T) {
	get, put := entry("reader", "s3:GetObject", ""), entry("reader", "s3:PutObject", "")
	for name, test := range map[string]struct {
		saved, now Access
		stale      string // empty: the plan still holds
	}{
		"the same":           {saved: Access{Gained: []AccessEntry{get}, Lost: []AccessEntry{put}}, now: Access{Gained: []AccessEntry{get}, Lost: []AccessEntry{put}}},
		"some of it is done": {saved: Access{Gained: []AccessEntry{get, put}}, now: Access{Gained: []AccessEntry{put}}},
		"it opens more": {
			saved: Access{Gained: []AccessEntry{get}}, now: Access{Gained: []AccessEntry{get, put}},
			stale: "it would open access that the saved plan does not open: reader: s3:PutObject on arn:aws:s3:::mybucket/*",
		},
		"a condition is gone": {
			saved: Access{Gained: []AccessEntry{entry("reader", "s3:GetObject", "unless aws:SecureTransport is false")}}, now: Access{Gained: []AccessEntry{get}},
			stale: "would open access",
		},
		"it closes more": {
			now:   Access{Lost: []AccessEntry{get}},
			stale: "it would close access that the saved plan does not close: reader: s3:GetObject",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, load(t, recipe), everything)
			c := Compare(p, newLive(p), Options{})
			c.Access = test.saved
			file := saved(t, c)
			c.Access = test.now
			problems := c.Stale(file)
			if test.stale == "" {
				if len(problems) > 0 {
					t.Errorf("stale: %v", problems)
				}
				return
			}
			if len(problems) != 1 || !strings.Contains(problems[0].Message, test.stale) || problems[0].Step != bucketPolicyID {
				t.Errorf("nothing says %q: %v", test.stale, problems)
			}
		})
	}
}

func TestAccessSort(t *testing.T) {
	a, b := entry("a", "s3:GetObject", ""), entry("b", "s3:GetObject", "")
	access := Access{Gained: []AccessEntry{b, a, b}}
	access.Sort()
	if diff := cmp.Diff([]AccessEntry{a, b}, access.Gained); diff != "" {
		t.Error(diff)
	}
}

func TestBrief(t *testing.T) {
	var list []AccessEntry
	for i := range 5 {
		list = append(list, entry(fmt.Sprint(i), "s3:GetObject", ""))
	}
	if text := Brief(list); !strings.HasSuffix(text, "2: s3:GetObject on arn:aws:s3:::mybucket/*; and 2 more") {
		t.Error(text)
	}
}
