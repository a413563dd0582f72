using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>Style and scripts, which the program carries.</summary>
internal static class LabAssets
{
    private static readonly Dictionary<string, byte[]> Files = typeof(LabAssets).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("lab/", StringComparison.Ordinal))
        .ToDictionary(name => name["lab/".Length..], Read);

    public static Task Send(HttpContext context)
    {
        var name = (string)context.GetRouteValue("name")!;
        if (!Files.TryGetValue(name, out var bytes))
        {
            throw new ApiException(404, "There is no such file.");
        }

        context.Response.ContentType = Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        context.Response.ContentLength = bytes.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes).AsTask();
    }

    private static byte[] Read(string name)
    {
        using var stream = typeof(LabAssets).Assembly.GetManifestResourceStream(name)!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
