package describe

import (
	"maps"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

// use is what one consumer of a share may do.
type use struct {
	words    []specs.Access
	actions  []string // further ones, sorted
	prefixes []string // sorted
}

// folded are rights as consumers say them: as few as do, since a consumer has
// one set of actions for all its prefixes. The first says what is not held to
// prefixes, where there is such. unsaid: there are prefixes with rights to every
// action, of which consumers can say only those of the words.
func folded(r rights, crossAccount bool) (list []use, unsaid bool) {
	whole := set{}            // actions on all of the bucket or its objects
	bucket := set{}           // those of the bucket itself, to which prefixes are nothing
	below := map[string]set{} // actions by prefix
	for action, places := range r {
		for _, place := range places {
			switch {
			case place != "":
				if below[place] == nil {
					below[place] = set{}
				}
				below[place][action] = true
			case isBuckets(action):
				bucket[action] = true
			default:
				whole[action] = true
			}
		}
	}
	saidFor := set{} // every prefix too
	if len(whole) > 0 || len(below) == 0 {
		maps.Copy(whole, bucket)
		list, saidFor = append(list, said(whole, nil, nil, crossAccount)), whole
	}
	alike := map[string][]string{} // prefixes by their actions
	for _, prefix := range slices.Sorted(maps.Keys(below)) {
		key := strings.Join(slices.Sorted(maps.Keys(below[prefix])), " ")
		alike[key] = append(alike[key], prefix)
	}
	for _, prefixes := range slices.SortedFunc(maps.Values(alike), func(a, b []string) int { return strings.Compare(a[0], b[0]) }) {
		actions := below[prefixes[0]]
		everything := everyAction(actions, crossAccount, iampolicy.ObjectLevel)
		maps.Copy(actions, bucket)
		maps.Copy(actions, saidFor) // for the words
		next := said(actions, saidFor, prefixes, crossAccount)
		if everything {
			unsaid = true
			next.actions = slices.DeleteFunc(next.actions, func(action string) bool {
				known, _ := iampolicy.LookupS3Action(action)
				return known.Level == iampolicy.ObjectLevel
			})
		}
		list = append(list, next)
		maps.Copy(saidFor, bucket)
	}
	return list, unsaid
}

type set = map[string]bool

// isBuckets reports whether an action is on a bucket whatever the prefix.
func isBuckets(action string) bool {
	known, _ := iampolicy.LookupS3Action(action)
	return known.Level == iampolicy.BucketLevel && !iampolicy.SendsPrefix(action)
}

// said are actions as a consumer states them: by words as far as those mean
// nothing more. Those that are said already need not be said again.
func said(actions, already set, prefixes []string, crossAccount bool) use {
	u := use{prefixes: prefixes}
	if len(prefixes) == 0 && everyAction(actions, crossAccount, iampolicy.ObjectLevel, iampolicy.BucketLevel) {
		u.words = []specs.Access{specs.AccessFull}
		return u
	}
	meant := maps.Clone(already)
	if meant == nil {
		meant = set{}
	}
	for _, word := range []specs.Access{specs.AccessRead, specs.AccessList, specs.AccessWrite, specs.AccessDelete} {
		of := plan.Actions(&specs.Consumer{Access: []specs.Access{word}, Prefixes: prefixes})
		lacks := func(action string) bool { return !actions[action] }
		news := func(action string) bool { return !meant[action] }
		if slices.ContainsFunc(of, lacks) || !slices.ContainsFunc(of, news) {
			continue
		}
		u.words = append(u.words, word)
		for _, action := range of {
			meant[action] = true
		}
	}
	for _, action := range slices.Sorted(maps.Keys(actions)) {
		if !meant[action] {
			u.actions = append(u.actions, action)
		}
	}
	return u
}

// everyAction reports whether all actions of the levels are there that a role can
// have.
func everyAction(actions set, crossAccount bool, levels ...iampolicy.S3Level) bool {
	for _, known := range iampolicy.MatchS3Actions("s3:*") {
		if slices.Contains(levels, known.Level) && !actions[known.Name] && !(crossAccount && iampolicy.OwnersOnly(known.Name)) {
			return false
		}
	}
	return true
}
