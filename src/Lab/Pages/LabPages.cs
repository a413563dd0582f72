using Microsoft.AspNetCore.Http;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Lab;

/// <summary>Renders the rooms as whole pages; scripts fill in what is computed.</summary>
internal static class LabPages
{
    public static async Task Send(HttpContext context, LabRoom room, Workshop shop)
    {
        var html = Render(room, shop);
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(html, context.RequestAborted);
    }

    private static string Render(LabRoom room, Workshop shop) => $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{SafeText.ForHtml(room.Title)} · SafeLlama lab</title>
        <link rel="icon" href="assets/icon.svg">
        <link rel="stylesheet" href="assets/lab.css">
        <script type="module" src="assets/{room.Path}.js"></script>
        </head>
        {PageHtml.Body<LabLayout>(new()
    {
        [nameof(LabLayout.Room)] = room,
        [nameof(LabLayout.Shop)] = shop,
    })}
        </html>

        """.ReplaceLineEndings("\n");
}
