package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xshare/xshare/executor"
	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
)

// doer does everything but what it has errors for.
type doer struct {
	errs map[string]error // by change id
	upon func(id string)
}

func (d doer) Do(_ context.Context, c *plan.Change) (executor.Done, error) {
	if d.upon != nil {
		d.upon(c.ID)
	}
	done := executor.Done{Writes: 1, RequestID: "REQ1"}
	if c.Type == plan.TypeInstance {
		done.ID = "i-0123456789abcdef0"
		done.Notes = []string{"image ami-0abc (al2023-ami-2023.9.20261101.0-kernel-6.12-x86_64) was the newest amazon-linux-2023"}
	}
	return done, d.errs[c.ID]
}

var denied = &executor.APIError{
	Account: consumer, Region: "aws-global", Service: "iam", Operation: "CreateRole", Resource: "reports",
	Code: "AccessDenied", RequestID: "8d1b3c4e", Mend: "let xshare-deployer do iam:CreateRole",
	Err: errors.New("AccessDenied: User: arn:aws:sts::222222222222:assumed-role/xshare-deployer/xshare is not authorized to perform: iam:CreateRole"),
}

func TestResult(t *testing.T) {
	tests := map[string]struct {
		world   func(*testing.T) *world
		opts    plan.Options
		errs    map[string]error
		stopAt  string // id of the change that is in flight when the run is interrupted
		style   report.Style
		elapsed time.Duration
	}{
		"done":    {world: func(t *testing.T) *world { return empty(t, recipeYAML) }, style: report.Style{Width: 80}, elapsed: 3140 * time.Millisecond},
		"nothing": {world: func(t *testing.T) *world { return applied(t, recipeYAML) }, style: report.Style{Width: 80}},
		"failed": {
			world:   func(t *testing.T) *world { return empty(t, recipeYAML, secondYAML) },
			errs:    map[string]error{"iam.Role/222222222222/reports": denied},
			style:   report.Style{Width: 80},
			elapsed: 75 * time.Second,
		},
		"refused": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML, secondYAML)
				delete(w.snapshots[consumer].Roles["reports"].Tags, plan.RepositoryTag)
				return w
			},
			style: report.Style{Width: 80, Color: true},
		},
		"unreadable": {
			world: func(t *testing.T) *world {
				w := empty(t, recipeYAML, thirdYAML)
				w.snapshots[lab] = unread(lab)
				return w
			},
			style: report.Style{Width: 80},
		},
		"left-out": {
			world: func(t *testing.T) *world { return empty(t, recipeYAML, thirdYAML) },
			opts:  plan.Options{Refused: []plan.Refusal{keptOut}},
			style: report.Style{Width: 80},
		},
		"interrupted": {
			world:  func(t *testing.T) *world { return empty(t, recipeYAML) },
			stopAt: "s3.Bucket/111111111111/mybucket2share",
			style:  report.Style{Width: 80},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changes := tt.world(t).compare(tt.opts)
			stop := make(chan struct{})
			d := doer{errs: tt.errs, upon: func(id string) {
				if id == tt.stopAt {
					close(stop)
				}
			}}
			result := executor.Apply(t.Context(), stop, d, changes, 1, nil)
			got := text(t, func(b *bytes.Buffer) error { return report.Result(b, changes, result, tt.elapsed, tt.style) })
			golden(t, "result-"+name+".txt", got)
		})
	}
}

func TestApplyDocument(t *testing.T) {
	changes := empty(t, recipeYAML, secondYAML).compare(plan.Options{})
	const failed = "iam.Role/222222222222/reports"
	result := executor.Apply(t.Context(), nil, doer{errs: map[string]error{failed: denied}}, changes, 1, nil)
	d := report.ApplyDocument(changes, result, "abc")
	if d.Commit != "abc" || len(d.Steps) != len(changes.Steps) {
		t.Fatalf("commit %q, %d steps", d.Commit, len(d.Steps))
	}
	byID := map[string]plan.StepDocument{}
	for _, s := range d.Steps {
		byID[s.ID] = s
	}
	if s := byID[failed]; s.Result != "failed" || s.Error != denied.Error() || s.BlockedBy != nil {
		t.Errorf("failed step: %q, %q, %q", s.Result, s.Error, s.BlockedBy)
	}
	if s := byID["iam.RolePolicyAttachment/222222222222/reports/xshare.acme-data.reports"]; s.Result != "blocked" || !slices.Equal(s.BlockedBy, []string{failed}) {
		t.Errorf("blocked step: %q by %q", s.Result, s.BlockedBy)
	}
	bucketPolicy := byID["s3.BucketPolicy/111111111111/mybucket2share"]
	var parts []string
	for _, p := range bucketPolicy.Parts {
		parts = append(parts, p.Share+" "+p.Result)
	}
	if want := []string{"mybucket2share done", "nightly-reports blocked"}; bucketPolicy.Result != "partial" || !slices.Equal(parts, want) {
		t.Errorf("bucket policy is %s with parts %q, want partial with %q", bucketPolicy.Result, parts, want)
	}
	text, err := d.JSON()
	if err != nil || !json.Valid(text) {
		t.Errorf("JSON: %v\n%s", err, text)
	}
}

func TestResultOfWhatWasCutShort(t *testing.T) {
	const id = "iam.Role/222222222222/ec2role2accessmybucket2share"
	cut := fmt.Errorf("%w: %w", executor.ErrInterrupted, denied)
	changes := empty(t, recipeYAML).compare(plan.Options{})
	result := executor.Apply(t.Context(), nil, doer{errs: map[string]error{id: cut}}, changes, 1, nil)
	var out bytes.Buffer
	if err := report.Result(&out, changes, result, 0, report.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"may or may not be done (iam:CreateRole on reports)", "mend: apply again"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &out)
		}
	}
}
