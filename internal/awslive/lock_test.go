package awslive

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xshare/xshare/docs"
	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/iampolicy"
)

// S3's conditional writes as an executor.Store, with what the deploy role is
// documented to need.
func TestStore(t *testing.T) {
	b := onSandbox(t)
	b.bucket(t, "acme-locks", "")
	ctx := t.Context()
	name := executor.LockName("acme-data")
	store := b.client(t).Store("acme-locks", owner, "")

	if _, _, err := store.Get(ctx, name); !errors.Is(err, executor.ErrAbsent) {
		t.Errorf("get of nothing: %v", err)
	}
	if _, err := store.Replace(ctx, name, `"x"`, []byte("a")); !errors.Is(err, executor.ErrAbsent) {
		t.Errorf("replace of nothing: %v", err)
	}
	must(t, store.Delete(ctx, name, `"x"`))
	first, err := store.Create(ctx, name, []byte("a"))
	must(t, err)
	if _, err := store.Create(ctx, name, []byte("b")); !errors.Is(err, executor.ErrExists) {
		t.Errorf("second create: %v", err)
	}
	text, version, err := store.Get(ctx, name)
	if err != nil || string(text) != "a" || version != first {
		t.Errorf("got %q %s, %v", text, version, err)
	}
	second, err := store.Replace(ctx, name, first, []byte("b"))
	must(t, err)
	if _, err := store.Replace(ctx, name, first, []byte("c")); !errors.Is(err, executor.ErrChanged) {
		t.Errorf("replace of another version: %v", err)
	}
	if err := store.Delete(ctx, name, first); !errors.Is(err, executor.ErrChanged) {
		t.Errorf("delete of another version: %v", err)
	}
	must(t, store.Delete(ctx, name, second))
	if _, _, err := store.Get(ctx, name); !errors.Is(err, executor.ErrAbsent) {
		t.Errorf("get after delete: %v", err)
	}
}

func TestLockOverS3(t *testing.T) {
	b := onSandbox(t)
	b.bucket(t, "acme-locks", "")
	c := b.client(t)
	who, err := c.Caller(t.Context(), owner)
	must(t, err)
	if !strings.HasPrefix(who, "arn:aws:iam::111111111111:") {
		t.Errorf("the caller is %s", who)
	}
	store := c.Store("acme-locks", owner, "")
	lock, _, err := executor.AcquireLock(t.Context(), store, "acme-data", executor.Holder{Who: who}, time.Hour)
	must(t, err)
	_, _, err = executor.AcquireLock(t.Context(), store, "acme-data", executor.Holder{Who: "another"}, time.Hour)
	if held, ok := errors.AsType[*executor.HeldError](err); !ok || held.Holder.Who != who {
		t.Errorf("taken twice: %v", err)
	}
	must(t, lock.Release(t.Context()))
}

func TestStoreErrors(t *testing.T) {
	b := onSandbox(t)
	for name, c := range map[string]struct{ bucket, account, want string }{
		"no bucket":       {"nowhere", owner, "create the bucket nowhere in account 111111111111, or correct `lock:` of xshare.yaml"},
		"not an account":  {"acme-locks", "999999999999", "account 999999999999 is not in the repository"},
		"another's":       {"acme-locks", consumer, "s3:PutObject on arn:aws:s3:::acme-locks/xshare/acme-data.lock"},
		"not ours to use": {"acme-locks", "444444444444", "`manage: false`"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "another's" {
				b.bucket(t, "acme-locks", "")
			}
			_, err := b.client(t).Store(c.bucket, c.account, "").Create(t.Context(), executor.LockName("acme-data"), []byte("{}"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The deploy role's documented policy allows what the lock needs, on its own
// objects and no others. Only the lock is ever deleted.
func TestLockActionsAreDocumented(t *testing.T) {
	d, err := iampolicy.Parse([]byte(docs.DeployRolePolicy))
	must(t, err)
	const lock, applied = "arn:aws:s3:::*/xshare/*.lock", "arn:aws:s3:::*/xshare/*.applied"
	allowed := map[string][]string{}
	for _, s := range d.Statements {
		for _, resource := range s.Resource {
			if strings.Contains(resource, "/xshare/") {
				allowed[resource] = append(allowed[resource], s.Action...)
			}
		}
	}
	slices.Sort(allowed[lock])
	want := map[string][]string{lock: LockActions(), applied: {"s3:GetObject", "s3:PutObject"}}
	if diff := cmp.Diff(want, allowed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
