package sandbox

// taggingOf are Tag…, Untag… and List…Tags of a kind of thing. name is the
// parameter that says which one is meant; find finds its tags, and asks whether
// the caller may do the operation.
func taggingOf(kind, name string, find func(*call, params, map[string][]string) (*[]tag, error)) operations {
	return operations{
		"Tag" + kind: {append([]string{name}, tagParams...), func(c *call, p params) (any, error) {
			tags, err := p.tags()
			if err != nil {
				return nil, err
			}
			have, err := find(c, p, tagConditions(tags))
			if err != nil {
				return nil, err
			}
			all, err := withTags(*have, tags)
			if err != nil {
				return nil, err
			}
			*have = all
			return nil, nil
		}},
		"Untag" + kind: {[]string{name, "TagKeys.member.N"}, func(c *call, p params) (any, error) {
			keys := p.list("TagKeys.member", "")
			have, err := find(c, p, map[string][]string{"aws:TagKeys": keys})
			if err != nil {
				return nil, err
			}
			*have = withoutTags(*have, keys)
			return nil, nil
		}},
		"List" + kind + "Tags": {append([]string{name}, pageParams...), func(c *call, p params) (any, error) {
			have, err := find(c, p, nil)
			if err != nil {
				return nil, err
			}
			byKey := map[string]tag{}
			for _, t := range *have {
				byKey[t.Key] = t
			}
			return listOf(p, "Tags", sortedKeys(byKey), itself, func(key string) tag { return byKey[key] })
		}},
	}
}
