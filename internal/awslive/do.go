package awslive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

// doing is one change being carried out.
type doing struct {
	*session
	change *plan.Change
	notes  []string
}

// Do carries out one change; see executor.Doer.
func (c *Client) Do(ctx context.Context, change *plan.Change) (executor.Done, error) {
	s, err := c.session(change.Account)
	if err != nil {
		return executor.Done{}, fmt.Errorf("%s: %w", change.ID, err)
	}
	if c.options.ReadOnly {
		return executor.Done{}, fmt.Errorf("%s: this client only reads", change.ID)
	}
	if err := s.ready(ctx); err != nil {
		return executor.Done{}, err
	}
	t := &tally{}
	d := &doing{session: s, change: change}
	id, err := d.do(context.WithValue(ctx, tallyKey{}, t))
	return executor.Done{ID: id, RequestID: t.requestID, Writes: t.writes, Notes: d.notes}, err
}

// do calls what does a change of this type. It returns the id of an instance
// that was launched.
func (d *doing) do(ctx context.Context) (id string, err error) {
	// An attachment, and a bucket policy's statements, are taken away here;
	// other types have whole resources, which only --prune may delete.
	want := d.change.Want
	if d.change.Action == plan.Delete {
		want = nil
	}
	before := d.change.Before
	switch d.change.Type {
	case plan.TypeBucketPolicy:
		return "", d.doBucketPolicy(ctx)
	case plan.TypeAttachment:
		if want == nil {
			return "", given(ctx, before, d.detach)
		}
		return "", given(ctx, want, d.attach)
	}
	if want == nil {
		return "", d.delete(ctx)
	}
	switch d.change.Type {
	case plan.TypeBucket:
		return "", given(ctx, want, d.doBucket)
	case plan.TypeRole:
		return "", given(ctx, want, d.doRole)
	case plan.TypePolicy:
		return "", given(ctx, want, d.doPolicy)
	case plan.TypeInstanceProfile:
		return "", given(ctx, want, d.doInstanceProfile)
	case plan.TypeInstance:
		err = given(ctx, want, func(ctx context.Context, want plan.Instance) (err error) {
			id, err = d.doInstance(ctx, want)
			return err
		})
		return id, err
	case plan.TypeAssociation:
		return "", given(ctx, want, d.doAssociation)
	}
	return "", fmt.Errorf("%s: there is nothing that does changes of type %s: use a version of xshare that knows it", d.change.ID, d.change.Type)
}

// given calls do with a resource of the type that it takes.
func given[R plan.Resource](ctx context.Context, resource plan.Resource, do func(context.Context, R) error) error {
	r, ok := resource.(R)
	if !ok {
		return fmt.Errorf("the change holds a %T where a %T belongs: plan anew", resource, r)
	}
	return do(ctx, r)
}

// fail words a failed call about a resource.
func (d *doing) fail(err error, resource string) error {
	return d.failed(err, d.change.Region, resource)
}

func (d *doing) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// foreignError is that a resource is there and is not ours to change.
func (d *doing) foreignError(resource string) error {
	return fmt.Errorf("%s: %s exists already and does not carry the tag %s=%s: take it over with --adopt, or use another name",
		d.account.ID, resource, plan.RepositoryTag, d.client.options.Repository)
}

// mayTake reports whether an existing resource with these tags may be
// changed: it is ours, or this change takes it over. What another repository
// has marked stays its own.
func (d *doing) mayTake(tags map[string]string) bool {
	_, isMarked := tags[plan.RepositoryTag]
	return d.client.marked(tags) || d.change.Action == plan.Adopt && !isMarked
}

// heard calls f until AWS has heard of the resources that it needs, if this
// client has made or seen all of them. Each is an ARN or an instance's id.
func (d *doing) heard(ctx context.Context, isUnheard func(error) bool, f func() error, resources ...string) error {
	until := func(err error) string { return serviceOf(err) + " knows " + nounsOf(resources...) }
	return d.client.await(ctx, propagation, until, func(err error) bool {
		return isUnheard(err) && !slices.ContainsFunc(resources, func(r string) bool { return !d.client.knows(r) })
	}, f)
}

// settles calls read until it answers true, for a short while: what was
// written may be read a moment later only.
func (d *doing) settles(ctx context.Context, read func() (bool, error)) (bool, error) {
	done := false
	err := d.client.again(ctx, 15*time.Second, func(err error) bool { return errors.Is(err, errUnsettled) }, func() error {
		var err error
		done, err = read()
		if err == nil && !done {
			return errUnsettled
		}
		return err
	})
	if errors.Is(err, errUnsettled) {
		return false, nil
	}
	return done, err
}

var errUnsettled = errors.New("not as it was written yet")
