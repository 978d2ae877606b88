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

// set is a set of actions.
type set map[string]bool

func union(sets ...set) set {
	all := set{}
	for _, s := range sets {
		maps.Copy(all, s)
	}
	return all
}

// folded are rights as consumers say them: as few as do, since a consumer has
// one set of actions for all its prefixes. The first says what is not held to
// prefixes, where there is such. shortened: there are prefixes with rights to
// every action. To list them all would hide more than it says: those of the words
// are kept.
func folded(r rights, crossAccount bool) (list []use, shortened bool) {
	whole := set{}            // actions on all of the bucket or its objects
	bucket := set{}           // those of the bucket itself, to which prefixes are nothing
	below := map[string]set{} // actions by prefix
	for action, places := range r {
		for _, place := range places {
			switch {
			case place != "":
				below[place] = union(below[place], set{action: true})
			case isBuckets(action):
				bucket[action] = true
			default:
				whole[action] = true
			}
		}
	}
	covered := set{} // what the uses so far say of every prefix
	if len(whole) > 0 || len(below) == 0 {
		covered = union(whole, bucket)
		list = append(list, wordsFor(covered, nil, nil, crossAccount))
	}
	alike := map[string][]string{} // prefixes by their actions
	for _, prefix := range slices.Sorted(maps.Keys(below)) {
		key := strings.Join(slices.Sorted(maps.Keys(below[prefix])), " ")
		alike[key] = append(alike[key], prefix)
	}
	for _, prefixes := range slices.SortedFunc(maps.Values(alike), func(a, b []string) int { return strings.Compare(a[0], b[0]) }) {
		actions := below[prefixes[0]]
		next := wordsFor(union(actions, bucket, covered), covered, prefixes, crossAccount)
		if isEvery(actions, crossAccount, iampolicy.ObjectLevel) {
			shortened = true
			kept := plan.Actions(&specs.Consumer{Access: []specs.Access{specs.AccessRead, specs.AccessWrite, specs.AccessDelete}})
			next.actions = slices.DeleteFunc(next.actions, func(action string) bool {
				known, _ := iampolicy.LookupS3Action(action)
				return known.Level == iampolicy.ObjectLevel && !slices.Contains(kept, action)
			})
		}
		list = append(list, next)
		covered = union(covered, bucket)
	}
	return list, shortened
}

// isBuckets reports whether an action is on a bucket whatever the prefix.
func isBuckets(action string) bool {
	known, _ := iampolicy.LookupS3Action(action)
	return known.Level == iampolicy.BucketLevel && !iampolicy.SendsPrefix(action)
}

// wordsFor are actions as a consumer says them: by words as far as those mean
// nothing more. What is covered need not be said again.
func wordsFor(actions, covered set, prefixes []string, crossAccount bool) use {
	u := use{prefixes: prefixes}
	if len(prefixes) == 0 && isEvery(actions, crossAccount, iampolicy.ObjectLevel, iampolicy.BucketLevel) {
		u.words = []specs.Access{specs.AccessFull}
		return u
	}
	said := union(covered)
	for _, word := range []specs.Access{specs.AccessRead, specs.AccessList, specs.AccessWrite, specs.AccessDelete} {
		means := plan.Actions(&specs.Consumer{Access: []specs.Access{word}, Prefixes: prefixes})
		isMore := func(action string) bool { return !actions[action] }
		isNew := func(action string) bool { return !said[action] }
		if slices.ContainsFunc(means, isMore) || !slices.ContainsFunc(means, isNew) {
			continue
		}
		u.words = append(u.words, word)
		for _, action := range means {
			said[action] = true
		}
	}
	for _, action := range slices.Sorted(maps.Keys(actions)) {
		if !said[action] {
			u.actions = append(u.actions, action)
		}
	}
	return u
}

// isEvery reports whether all actions of the levels are there that a role can
// have.
func isEvery(actions set, crossAccount bool, levels ...iampolicy.S3Level) bool {
	for _, known := range iampolicy.MatchS3Actions("s3:*") {
		if slices.Contains(levels, known.Level) && !actions[known.Name] && !(crossAccount && iampolicy.OwnersOnly(known.Name)) {
			return false
		}
	}
	return true
}
