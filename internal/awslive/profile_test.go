package awslive

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/xshare/xshare/plan"
)

func TestProfileThatIsNotThere(t *testing.T) {
	empty := t.TempDir()
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(empty, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(empty, "credentials"))
	t.Setenv("AWS_PROFILE", "nobody")
	b := onSandbox(t)
	c := b.client(t, func(o *Options) { o.Sandbox = nil })
	snap, err := c.Observe(t.Context(), plan.Want{Account: owner, IAM: true})
	must(t, err)
	f := snap.Failure(plan.ScopeAccount)
	if f == nil || !strings.Contains(f.Message, "nobody") || strings.Contains(f.Message, owner) || !strings.Contains(f.Mend, "AWS_PROFILE") {
		t.Errorf("the failure is %+v", f)
	}
}
