package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Applied is the last commit that was applied as a whole: the text of its
// document.
type Applied struct {
	Commit string    `json:"commit"`
	When   time.Time `json:"when"`
	Who    string    `json:"who"` // ARN of the caller
}

// commitID is the form of git's ids, with SHA-1 and SHA-256. A name that git
// would look up, such as HEAD, is none.
var commitID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// AppliedName is the name of the record of a repository's last commit applied.
func AppliedName(repository string) string { return "xshare/" + repository + ".applied" }

// ReadApplied returns the record and its version; both are empty where there
// is none.
func ReadApplied(ctx context.Context, store Store, repository string) (*Applied, string, error) {
	text, version, err := store.Get(ctx, AppliedName(repository))
	if errors.Is(err, ErrAbsent) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	var a Applied
	if err := json.Unmarshal(text, &a); err != nil || !commitID.MatchString(a.Commit) {
		return nil, "", fmt.Errorf("%s does not name the last commit applied: see what it is and remove it", AppliedName(repository))
	}
	a.Who = shown(a.Who)
	return &a, version, nil
}

// WriteApplied writes the record in place of the one with that version, or,
// where that is empty, where there is none. An answer that was lost is made out.
func WriteApplied(ctx context.Context, store Store, repository, version string, a Applied) error {
	a.When = a.When.UTC()
	name := AppliedName(repository)
	var err error
	if version == "" {
		_, err = store.Create(ctx, name, document(a))
	} else {
		_, err = store.Replace(ctx, name, version, document(a))
	}
	if errors.Is(err, ErrExists) || errors.Is(err, ErrChanged) {
		if there, _, e := ReadApplied(ctx, store, repository); e == nil && there != nil &&
			there.Commit == a.Commit && there.Who == a.Who && there.When.Equal(a.When) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("the last commit applied cannot be written to %s: %w", name, err)
	}
	return nil
}
