using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SafeLlama.Common;

namespace SafeLlama.Lab;

/// <summary>Renders the rooms as whole pages; scripts fill in what is computed.</summary>
internal sealed class LabPages : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().BuildServiceProvider();

    public async Task Send(HttpContext context, LabRoom room, Workshop shop)
    {
        var html = await Render(room, shop);
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(html, context.RequestAborted);
    }

    private async Task<string> Render(LabRoom room, Workshop shop)
    {
        await using var renderer = new HtmlRenderer(_services, _services.GetRequiredService<ILoggerFactory>());
        var body = await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var parameters = ParameterView.FromDictionary(new Dictionary<string, object?>
            {
                [nameof(LabLayout.Room)] = room,
                [nameof(LabLayout.Shop)] = shop,
            });
            return (await renderer.RenderComponentAsync<LabLayout>(parameters).ConfigureAwait(true)).ToHtmlString();
        });
        return $"""
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
            {SafeText.ForHtmlPage(body)}
            </html>

            """.ReplaceLineEndings("\n");
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
