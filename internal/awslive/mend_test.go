package awslive

import (
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

// An instance without a subnet, where the account has no place for it.
func TestMendOfNoDefaultVPC(t *testing.T) {
	for _, code := range []string{"VPCIdNotSpecified", "MissingInput"} {
		if got := new(session).mend(&smithy.GenericAPIError{Code: code}, "instance i"); !strings.Contains(got, "name a `subnet`") {
			t.Errorf("%s: %q", code, got)
		}
	}
}
