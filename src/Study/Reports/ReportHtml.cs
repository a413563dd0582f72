using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>The report as one HTML file: nothing is loaded from elsewhere, scripts only add comfort, all text is
/// escaped.</summary>
public static class ReportHtml
{
    /// <summary>Forbids the page every connection; style and script are its own.</summary>
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

    /// <summary>Renders on the renderer's own dispatcher and waits: nothing here is asynchronous in truth.</summary>
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
