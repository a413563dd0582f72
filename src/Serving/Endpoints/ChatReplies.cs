using System.Text;
using System.Text.Json.Serialization;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

internal sealed record ChatMessageReply(string Role, string Content, string? Refusal = null);

internal sealed record ChatChoice(int Index, ChatMessageReply Message, ChatLogprobs? Logprobs, string FinishReason);

internal sealed record ChatCompletion(
    string Id, string Object, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage);

internal sealed record ChatDelta
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Role { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Content { get; init; }
}

internal sealed record ChatChunkChoice(int Index, ChatDelta Delta, ChatLogprobs? Logprobs, string? FinishReason);

internal sealed record ChatChunk(
    string Id, string Object, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices, Usage? Usage);

internal sealed record ChatTokenScore(string Token, double Logprob, IReadOnlyList<int>? Bytes)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ChatTokenScore>? TopLogprobs { get; init; }
}

internal sealed record ChatLogprobs(IReadOnlyList<ChatTokenScore> Content, string? Refusal = null)
{
    public static ChatTokenScore Of(TokenTexts texts, TokenScore score, int top)
    {
        ChatTokenScore One(int token, double p)
        {
            var text = texts.Of(token);
            var isText = !text.StartsWith("token_id:", StringComparison.Ordinal);
            return new(text, p, isText ? [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)] : null);
        }

        return One(score.Token, score.LogProbability) with
        {
            TopLogprobs = [.. score.Top.Take(top).Select(t => One(t.Token, t.LogProbability))],
        };
    }
}
