using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using SafeLlama.Common;

namespace SafeLlama.Serving;

/// <summary>How answers are written: JSON with its nulls, which clients expect, and errors in OpenAI's form.</summary>
internal static class Reply
{
    public static JsonSerializerOptions Json { get; } = new(Common.Json.Line)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    public static Task Write<T>(HttpContext context, T value) =>
        context.Response.WriteAsJsonAsync(value, Json, "application/json", context.RequestAborted);

    public static Task Error(HttpContext context, ApiException fault)
    {
        context.Response.StatusCode = fault.Status;
        return Write(context, ErrorBody(fault));
    }

    public static object ErrorBody(ApiException fault) => new
    {
        error = new
        {
            message = SafeText.ForTerminal(fault.Message),
            type = fault.Status switch
            {
                401 or 403 => "authentication_error",
                429 => "rate_limit_error",
                >= 500 => "server_error",
                _ => "invalid_request_error",
            },
            param = fault.Param is null ? null : SafeText.ForTerminal(fault.Param),
            code = fault.Code,
        },
    };

    /// <summary>What a client is told of a fault.</summary>
    public static ApiException Of(Exception fault) => fault switch
    {
        ApiException known => known,
        QueueFullException full => new(429, full.Message, null, "queue_full"),
        EngineStoppedException stopped => new(503, stopped.Message, null, "stopping"),
        BadHttpRequestException { StatusCode: 413 } => new(413, "The request's body is larger than this server takes."),
        BadHttpRequestException bad => new(bad.StatusCode, bad.Message),
        JsonException json => new(400, $"The request's body is not JSON: {json.Message}"),
        SafeLlamaException { Code: ExitCode.DoesNotFit } large =>
            new(400, large.Fault, "prompt", "context_length_exceeded"),
        SafeLlamaException { Code: ExitCode.Usage or ExitCode.InvalidData } wrong =>
            new(400, wrong.Fault.Replace("`", "", StringComparison.Ordinal)),
        SafeLlamaException broken => new(500, broken.Message, null, "model_failed"),
        _ => new(500, "The server has met a fault of its own; its log says more.", null, "internal_error"),
    };
}
