using System.Text.Json;
using SafeLlama.Data;

namespace SafeLlama.Serving;

/// <summary>A request for a message.</summary>
/// <param name="Model">Who answers.</param>
/// <param name="Sequences">One for each answer wanted.</param>
internal sealed record ChatRequest(ServedModel Model, IReadOnlyList<SequenceRequest> Sequences)
{
    private const int MostTop = 20;

    public bool Streams { get; private init; }

    public bool TellsUsage { get; private init; }

    /// <summary>Whether a user's text spells a mark of the template, so that it may pass for a turn.</summary>
    public bool HoldsMarkers { get; private init; }

    public static ChatRequest Read(ServingEngine engine, RequestFields fields, double temperature)
    {
        var model = PromptLimits.Model(engine, fields);
        var messages = Messages(fields.Require("messages"));
        var (streams, tellsUsage) = SamplingFields.Streaming(fields);
        var decoding = SamplingFields.Decoding(fields, temperature);
        var field = fields.Find("max_completion_tokens") is null ? "max_tokens" : "max_completion_tokens";
        var asked = fields.Integer("max_completion_tokens", 1, int.MaxValue);
        var older = fields.Integer("max_tokens", 1, int.MaxValue);
        if (asked is not null && older is not null && asked != older)
        {
            throw new ApiException(
                400, $"'max_tokens' is {older} and 'max_completion_tokens' {asked}; give one of them.", "max_tokens");
        }

        var top = fields.Integer("top_logprobs", 0, MostTop);
        var scores = fields.Flag("logprobs");
        if (top > 0 && !scores)
        {
            throw new ApiException(400, "'top_logprobs' needs 'logprobs' true.", "top_logprobs");
        }

        var (count, stops) = (SamplingFields.Choices(fields), SamplingFields.Stops(fields));
        AcceptPlainText(fields);
        fields.RefuseOthers();
        PromptLimits.CheckCount(engine, 1, count);
        var prompt = ChatPrompt.Ids(engine.Session.Tokenizer, model.Template, messages);
        var most = PromptLimits.Check(engine, prompt, asked ?? older, field);
        return new(model, [.. Enumerable.Range(0, count).Select(i => new SequenceRequest(model, prompt, decoding, most)
        {
            Stop = stops,
            Stream = i,
            Top = scores ? top ?? 0 : null,
            IsMessage = true,
        })])
        {
            Streams = streams,
            TellsUsage = tellsUsage,
            HoldsMarkers = model.Template.HoldsMarkers(new ConversationExample(messages)),
        };
    }

    private static List<ChatMessage> Messages(JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
        {
            throw RequestFields.Wrong(list, "messages", "a list of messages, not empty");
        }

        return [.. list.EnumerateArray().Select((message, i) => Message(message, $"messages[{i}]."))];
    }

    private static ChatMessage Message(JsonElement message, string prefix)
    {
        var fields = new RequestFields(message, prefix);
        var role = RequestFields.TextOf(fields.Require("role"), fields.Name("role"));
        var content = Content(fields.Require("content"), fields.Name("content"));
        fields.AcceptOnly("annotations", v => v.ValueKind == JsonValueKind.Array && v.GetArrayLength() == 0, "[]");
        fields.RefuseOthers();
        return new(role switch
        {
            "system" or "developer" => ChatRole.System,
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            _ => throw new ApiException(
                400, $"'{fields.Name("role")}' is {RequestFields.Clipped(fields.Require("role"))}, expected system, "
                + "developer, user or assistant.", fields.Name("role")),
        }, content);
    }

    private static string Content(JsonElement content, string name)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            return RequestFields.TextOf(content, name);
        }

        return string.Concat(content.EnumerateArray().Select((part, i) =>
        {
            var fields = new RequestFields(part, $"{name}[{i}].");
            fields.AcceptOnly(
                "type", v => v.ValueKind == JsonValueKind.String && v.ValueEquals("text"), "\"text\"");
            var text = RequestFields.TextOf(fields.Require("text"), fields.Name("text"));
            fields.RefuseOthers();
            return text;
        }));
    }

    private static void AcceptPlainText(RequestFields fields)
    {
        static bool IsEmpty(JsonElement v) => v.ValueKind == JsonValueKind.Array && v.GetArrayLength() == 0;
        fields.AcceptOnly("response_format", v => v.ValueKind == JsonValueKind.Object
            && v.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            && type.ValueEquals("text"), "{\"type\":\"text\"}");
        fields.AcceptOnly("tools", IsEmpty, "an empty list");
        fields.AcceptOnly(
            "tool_choice", v => v.ValueKind == JsonValueKind.String && v.ValueEquals("none"), "\"none\"");
        fields.AcceptOnly("modalities", v => v.ValueKind == JsonValueKind.Array && v.GetArrayLength() == 1
            && v[0].ValueKind == JsonValueKind.String && v[0].ValueEquals("text"), "[\"text\"]");
        fields.Accept("parallel_tool_calls");
    }
}
