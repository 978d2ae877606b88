package awslive

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/plan"
)

func TestProfileThatIsNotThere(t *testing.T) {
	empty := t.TempDir()
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(empty, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(empty, "credentials"))
	t.Setenv("AWS_PROFILE", "nobody")
	b := onSandbox(t)
	c := b.client(t, func(o *Options) { o.Sandbox = nil })
	_, err := c.Observe(t.Context(), plan.Want{Account: owner, IAM: true})
	var caller *executor.CallerError
	if !errors.As(err, &caller) || !strings.Contains(err.Error(), "nobody") || strings.Contains(err.Error(), owner) || !strings.Contains(err.Error(), "AWS_PROFILE") {
		t.Errorf("the error is %v", err)
	}
}
