package specs

import (
	"regexp"
	"strings"
)

// The partitions that xshare knows.
const (
	partitionAWS   = "aws"
	partitionChina = "aws-cn"
	partitionGov   = "aws-us-gov"
)

var regionForm = regexp.MustCompile(`^[a-z]{2}(-gov)?-(central|north|south|(north|south)?(east|west))-[1-9]$`)

// Partition is the partition of a region that has the form of one: "aws",
// "aws-cn" or "aws-us-gov"; it is the second field of every ARN there. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return partitionChina
	case strings.HasPrefix(region, "us-gov-"):
		return partitionGov
	}
	return partitionAWS
}

// region checks a region that is stated anywhere and returns it; "" if it is
// absent or bad. partition is that of the repository, "" if not known.
func (s *sink) region(t text, partition string) string {
	switch {
	case !t.ok():
		return ""
	case !regionForm.MatchString(t.value):
		s.fail(codeRegion, t.pos, "write one such as us-east-1", "%s is no region of AWS's commercial, China or GovCloud partition", quote(t.value))
		return ""
	case partition != "" && Partition(t.value) != partition:
		s.fail(codePartition, t.pos, "keep the partitions in repositories of their own",
			"region %s is in partition %s and the repository's region is in %s", t.value, Partition(t.value), partition)
		return ""
	}
	return t.value
}
