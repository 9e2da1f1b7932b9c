package privacy

// MissingPhrases are those that one language has and another has not.
func MissingPhrases() (missing []string) {
	for a, of := range phrases {
		for b, other := range phrases {
			for key := range of {
				if other[key] == "" {
					missing = append(missing, b+" has no "+key+" of "+a)
				}
			}
		}
	}
	return missing
}
