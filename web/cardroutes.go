package web

import "github.com/gofiber/fiber/v2"

// cardDeskRoutes are the console's pages about cards.
func (w *site) cardDeskRoutes() []route {
	const get, post = fiber.MethodGet, fiber.MethodPost
	return []route{
		{get, cardsPath, member, w.showCards},
		{post, cardsPath + "/sync", sender, w.syncAllCards},
		{post, cardsPath + "/groups/:id/sync", sender, w.syncCardGroup},
		{get, cardGroupingPath, manager, w.cardGrouping},
		{post, cardGroupingPath, manager, w.groupCards},
		{get, cardTemplatesPath, member, w.cardTemplates},
		{get, cardTemplatesPath + "/new", manager, w.newCardDesign},
		{post, cardDesignPath, manager, w.designed},
		{post, cardTemplatesPath + "/preview", manager, w.previewDesign},
		{get, specimenColoursPath, member, w.specimenStyle},
		{get, "/cards/images/:id", member, w.cardImage},
		{get, cardTemplatesPath + "/:id", manager, w.cardDesign},
		{get, cardTemplatesPath + "/:id/saved", manager, w.cardTemplateSaved},
		{post, cardTemplatesPath + "/:id/saved", manager, w.continueCards},
		{get, cardTemplatesPath + "/:id/remove", manager, w.confirmCardTemplate},
		{post, cardTemplatesPath + "/:id/remove", manager, w.removeCardTemplate},
	}
}
