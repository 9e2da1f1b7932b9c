package privacy

import (
	"embed"
	"encoding/json"
)

// Phrases of documents, by language: console pages have a catalogue of their own.
//
//go:embed phrases/*.json
var phraseFiles embed.FS

var phrases = readPhrases()

func readPhrases() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, language := range []string{"en", "nb", "pl"} {
		text, err := phraseFiles.ReadFile("phrases/" + language + ".json")
		if err != nil {
			panic(err)
		}
		var of map[string]string
		if err := json.Unmarshal(text, &of); err != nil {
			panic(err)
		}
		all[language] = of
	}
	return all
}

// phrasesOf says things in a language, else in English.
func phrasesOf(language string) func(key string) string {
	of, ok := phrases[language]
	if !ok {
		of = phrases["en"]
	}
	return func(key string) string { return of[key] }
}
