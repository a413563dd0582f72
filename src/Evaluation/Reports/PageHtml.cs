using System.Reflection;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>
/// A report as one HTML file. It loads nothing from elsewhere, is complete without scripts, and escapes all text.
/// </summary>
public static class PageHtml
{
    /// <summary>Forbids every connection; style and script are inline.</summary>
    private const string Policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri "
        + "'none'; form-action 'none'";

    /// <typeparam name="TPage">The component that is the page's body.</typeparam>
    /// <param name="title">The page's title: untrusted text.</param>
    /// <param name="parameters">The component's parameters.</param>
    /// <param name="style">Rules after those that all pages have.</param>
    /// <param name="script">A script after the one that all pages have.</param>
    /// <param name="data">JSON for the script, in the element <c>page-data</c>; nothing in it may end an
    /// element.</param>
    public static string Render<TPage>(
        string title, Dictionary<string, object?> parameters, string style = "", string script = "", string data = "")
        where TPage : IComponent
    {
        var assembly = typeof(PageHtml).Assembly;
        return $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="{Policy}">
            <meta name="color-scheme" content="light dark">
            <title>{SafeText.ForHtml(title)}</title>
            <style>
            {Resource(assembly, "page.css")}{style}</style>
            </head>
            <body>
            {Body<TPage>(parameters)}
            {(data.Length > 0 ? $"<script type=\"application/json\" id=\"page-data\">{data}</script>" : "")}
            <script>
            {Resource(assembly, "page.js")}{script}</script>
            </body>
            </html>

            """.ReplaceLineEndings("\n");
    }

    /// <summary>A component as HTML.</summary>
    /// <param name="parameters">The component's parameters.</param>
    public static string Body<T>(Dictionary<string, object?> parameters)
        where T : IComponent
    {
        using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var renderer =
            new SyncRenderer(new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>()));
        return SafeText.ForHtmlPage(renderer.Render<T>(parameters));
    }

    /// <summary>A text file that an assembly carries.</summary>
    public static string Resource(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
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
