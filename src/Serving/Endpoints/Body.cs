using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace SafeLlama.Serving;

/// <summary>Reads a request's JSON.</summary>
internal static class Body
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <exception cref="ApiException">It is no JSON object, or not said to be JSON.</exception>
    public static async Task<RequestFields> Read(HttpContext context)
    {
        // A web page can post other types to any address without asking first.
        if (!context.Request.HasJsonContentType())
        {
            throw new ApiException(415, "The request's Content-Type must be application/json.");
        }

        if (context.Request.Headers.ContentEncoding.ToString() is { Length: > 0 } coding && coding != "identity")
        {
            throw new ApiException(415, "Compressed bodies are not supported; send it without Content-Encoding.");
        }

        using var document = await JsonDocument.ParseAsync(context.Request.Body, Options, context.RequestAborted);
        return new(document.RootElement.Clone());
    }
}
