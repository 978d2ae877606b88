package sandbox

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// attributes are what filters look at: name -> values.
type attributes map[string][]string

func (a attributes) tags(tags []tag) attributes {
	for _, t := range tags {
		a["tag:"+t.Key] = append(a["tag:"+t.Key], t.Value)
		a["tag-key"] = append(a["tag-key"], t.Key)
	}
	return a
}

// filterParams are the parameters of filters and paging.
var filterParams = []string{"Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"}

// filtered keeps the things that all filters match: any value of each, with *
// and ? as wildcards (EC2: Using_Filtering). A filter that the sandbox does
// not know for this kind of thing is refused by name.
func filtered[T any](c *ec2Call, list []T, known []string, of func(T) attributes) ([]T, error) {
	type filter struct {
		name   string
		values []string
	}
	var filters []filter
	for _, n := range c.numbered("Filter") {
		at := "Filter." + strconv.Itoa(n)
		f := filter{c.get(at + ".Name"), c.list(at+".Value", "")}
		if f.name == "" || len(f.values) == 0 {
			return nil, invalidValue("The filter '%s' is invalid", f.name)
		}
		if f.name != "tag-key" && !strings.HasPrefix(f.name, "tag:") && !slices.Contains(known, f.name) {
			return nil, notImplemented("the filter %q of %s", f.name, c.operation)
		}
		filters = append(filters, f)
	}
	matches := func(v T) bool {
		a := of(v)
		for _, f := range filters {
			if !slices.ContainsFunc(a[f.name], func(have string) bool {
				return slices.ContainsFunc(f.values, func(want string) bool { return iampolicy.MatchText(want, have) })
			}) {
				return false
			}
		}
		return true
	}
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return !matches(v) }), nil
}

// The sizes that a page can have (EC2 API: MaxResults of the Describe calls).
const (
	minPage = 5
	maxPage = 1000
)

// paged cuts a page of MaxResults things out, and gives the next page's token.
func paged[T any](c *ec2Call, list []T) ([]T, string, error) {
	start := 0
	if token := c.get("NextToken"); token != "" {
		b, err := base64.URLEncoding.DecodeString(token)
		if err == nil {
			start, err = strconv.Atoi(string(b))
		}
		if err != nil {
			return nil, "", invalidValue("The token '%s' is invalid", token)
		}
	}
	start = min(start, len(list))
	list = list[start:]
	if !c.has("MaxResults") {
		return list, "", nil
	}
	most, err := strconv.Atoi(c.get("MaxResults"))
	switch {
	case err != nil || most < minPage:
		return nil, "", invalidValue("Value ( %s ) for parameter maxResults is invalid. Expecting a value greater than or equal to %d.", c.get("MaxResults"), minPage)
	case most > maxPage:
		return nil, "", invalidValue("Value ( %s ) for parameter maxResults is invalid. Expecting a value less than or equal to %d.", c.get("MaxResults"), maxPage)
	case most >= len(list):
		return list, "", nil
	}
	return list[:most], base64.URLEncoding.EncodeToString([]byte(strconv.Itoa(start + most))), nil
}

// sorted gives a map's values in the order of their keys.
func sorted[V any](m map[string]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range sortedKeys(m) {
		out = append(out, m[k])
	}
	return out
}

// wanted picks the things with the ids of a parameter, or all where it is not
// sent; missing makes the error for those that are not there.
func wanted[V any](all map[string]V, ids []string, missing func(ids []string) error) ([]V, error) {
	if len(ids) == 0 {
		return sorted(all), nil
	}
	var out []V
	var gone []string
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if v, ok := all[id]; ok {
			out = append(out, v)
		} else {
			gone = append(gone, id)
		}
	}
	if len(gone) > 0 {
		return nil, missing(gone)
	}
	return out, nil
}
