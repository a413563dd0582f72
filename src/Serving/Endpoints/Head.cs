using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary>What names an answer.</summary>
internal sealed class Head(string kind)
{
    public string Id { get; } = $"{kind}-{Guid.NewGuid():N}";

    public long Created { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
}

/// <summary>Why an answer ended, in OpenAI's words.</summary>
internal static class Ends
{
    public static string Of(StopReason reason) => reason == StopReason.End ? "stop" : "length";
}
