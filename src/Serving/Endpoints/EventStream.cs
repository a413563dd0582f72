using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace SafeLlama.Serving;

/// <summary>Server-sent events, each written as soon as it is known.</summary>
internal sealed class EventStream(HttpContext context)
{
    private static readonly byte[] Begin = "data: "u8.ToArray();
    private static readonly byte[] End = "\n\n"u8.ToArray();

    public async Task Send<T>(T value)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-cache";
        }

        await Write(JsonSerializer.SerializeToUtf8Bytes(value, Reply.Json));
    }

    public Task Done() => Write("[DONE]"u8.ToArray());

    private async Task Write(byte[] data)
    {
        var body = context.Response.Body;
        await body.WriteAsync(Begin, context.RequestAborted);
        await body.WriteAsync(data, context.RequestAborted);
        await body.WriteAsync(End, context.RequestAborted);
        await body.FlushAsync(context.RequestAborted);
    }
}
