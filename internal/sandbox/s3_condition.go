package sandbox

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// checkConditions evaluates If-Match and its like, with a prefix for the ones
// on a copy's source (RFC 9110, 13.2.2). It gives 200, or 304.
func checkConditions(h http.Header, prefix string, o *object) (int, error) {
	get := func(name string) string { return h.Get(prefix + name) }
	at := func(name string) (time.Time, bool) {
		t, err := http.ParseTime(get(name))
		return t, err == nil
	}
	failed := func(name string) (int, error) {
		e := fault(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		e.detail = map[string]string{"Condition": prefix + name}
		return 0, e
	}
	if v := get("If-Match"); v != "" {
		if !etagMatches(v, o.ETag) {
			return failed("If-Match")
		}
	} else if t, ok := at("If-Unmodified-Since"); ok && o.Modified.After(t) {
		return failed("If-Unmodified-Since")
	}
	same := false
	if v := get("If-None-Match"); v != "" {
		same = etagMatches(v, o.ETag)
	} else if t, ok := at("If-Modified-Since"); ok {
		same = !o.Modified.After(t)
	}
	switch {
	case !same:
		return http.StatusOK, nil
	case prefix != "":
		return failed("If-None-Match")
	}
	return http.StatusNotModified, nil
}

var rangeForm = regexp.MustCompile(`^bytes=([0-9]{0,18})-([0-9]{0,18})$`)

// parseRange reads a Range header of one range. One that is not understood
// counts as absent, as HTTP has it.
func parseRange(header string, size int) (from, to int, partial bool, err error) {
	m := rangeForm.FindStringSubmatch(header)
	if m == nil || m[1]+m[2] == "" {
		return 0, size, false, nil
	}
	first, _ := strconv.Atoi(m[1]) // digits, by the form; 0 where there are none
	last, _ := strconv.Atoi(m[2])
	switch {
	case m[1] == "": // the last so many bytes
		from, to = max(0, size-last), size
	case m[2] == "":
		from, to = first, size
	case last < first:
		return 0, size, false, nil
	default:
		from, to = first, min(size, last+1)
	}
	if from >= to {
		e := fault(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
		e.detail = map[string]string{"RangeRequested": header, "ActualObjectSize": strconv.Itoa(size)}
		return 0, 0, false, e
	}
	return from, to, true, nil
}

// checkOverwrite is a conditional write (S3: conditional-writes).
func (c *s3Call) checkOverwrite() error {
	o := c.bucket.Objects[c.at.key]
	failed := func(condition string) error {
		e := fault(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		e.detail = map[string]string{"Condition": condition}
		return e
	}
	if v := c.Header.Get("If-None-Match"); v != "" {
		if v != "*" {
			return notImplemented("If-None-Match with another value than * in %s", c.op.name)
		}
		if o != nil {
			return failed("If-None-Match")
		}
	}
	if v := c.Header.Get("If-Match"); v != "" {
		if err := c.allow("s3:GetObject", c.at.key, nil); err != nil {
			return err
		}
		if o == nil {
			return noSuchKey(c.at.key)
		}
		if !etagMatches(v, o.ETag) {
			return failed("If-Match")
		}
	}
	return nil
}

func etagMatches(header, etag string) bool {
	for v := range strings.SplitSeq(header, ",") {
		v = strings.TrimSpace(v)
		if v == "*" || strings.Trim(strings.TrimPrefix(v, "W/"), `"`) == etag {
			return true
		}
	}
	return false
}
