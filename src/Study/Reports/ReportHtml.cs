using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>
/// The report as one HTML file. It loads nothing from elsewhere, is complete without scripts, and escapes all text.
/// </summary>
public static class ReportHtml
{
    /// <summary>Forbids every connection; style and script are inline.</summary>
    private const string Policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri "
        + "'none'; form-action 'none'";

    public static string Render(StudyReport report)
    {
        using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var renderer =
            new SyncRenderer(new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>()));
        var body = renderer.Render<ReportPage>(new() { [nameof(ReportPage.Report)] = report });
        return $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="{Policy}">
            <meta name="color-scheme" content="light dark">
            <title>{SafeText.ForHtml(report.Results.Recipe.Question)}</title>
            <style>
            {Resource("report.css")}</style>
            </head>
            <body>
            {SafeText.ForHtmlPage(body)}
            <script>
            {Resource("report.js")}</script>
            </body>
            </html>

            """.ReplaceLineEndings("\n");
    }

    private static string Resource(string name)
    {
        using var stream = typeof(ReportHtml).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Renders on the renderer's dispatcher and waits, since nothing here is really asynchronous.</summary>
    private sealed class SyncRenderer(HtmlRenderer renderer) : IDisposable
    {
        public string Render<T>(Dictionary<string, object?> parameters)
            where T : IComponent => renderer.Dispatcher.InvokeAsync(async () =>
            {
                var output = await renderer.RenderComponentAsync<T>(ParameterView.FromDictionary(parameters))
                    .ConfigureAwait(true);
                return output.ToHtmlString();
            }).GetAwaiter().GetResult();

        public void Dispose() => renderer.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
