package specs

import (
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// suggestField is the mend for a field that an object does not have.
func suggestField(wrong string, fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return suggest(wrong, names, "its fields are ")
}

// suggest is "did you mean …?" if one of the words is near, else the list of
// them after the lead.
func suggest(wrong string, words []string, lead string) string {
	if near := iampolicy.Nearest(wrong, words); near != "" {
		return `did you mean "` + near + `"?`
	}
	const most = 12
	if len(words) > most {
		return lead + strings.Join(words[:most], ", ") + ", …"
	}
	return lead + strings.Join(words, ", ")
}
