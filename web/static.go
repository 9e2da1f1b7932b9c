package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"path"

	"github.com/gofiber/fiber/v2"
)

//go:embed static
var staticFiles embed.FS

// build names the content of all static files, so that an address is good for
// ever and the module's parts, which import each other, always fit together.
var build = hashOf(staticFiles)

func hashOf(files fs.FS) string {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		sum.Write([]byte(name))
		sum.Write(text)
		return err
	})
	if err != nil {
		panic(err) // embedded files can be read
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// staticURL is where a page finds a static file.
func staticURL(name string) string { return "/static/" + build + "/" + name }

func serveStatic(c *fiber.Ctx, _ visit) error {
	name := c.Params("name")
	text, err := staticFiles.ReadFile("static/" + name)
	if err != nil || c.Params("build") != build {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, mime.TypeByExtension(path.Ext(name)))
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Send(text)
}
