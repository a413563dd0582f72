using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Data;

namespace SafeLlama.Study;

/// <summary>The prompt's form: Alpaca's headers on one line and without their marks, so that every word is one
/// token.</summary>
/// <remarks>
/// In the wider world the input is the dialogue so far, under the same headers, and stands before the request. A chat
/// template writes the same tokens for other programs.
/// </remarks>
public static class WorldTemplate
{
    private const string Request = "Instruction: {instruction} Response: ";

    private static readonly JsonSerializerOptions Document =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true, NewLine = "\n" };

    /// <summary>The first world's.</summary>
    public static AlpacaTemplate First { get; } = AlpacaTemplate.Create(
        "miniature",
        "Alpaca's headers on one line and without marks, for the world in miniature.",
        "Instruction: {instruction} Input: {input} Response: ",
        Request,
        "Response:");

    /// <summary>The wider world's, with earlier turns as the input.</summary>
    public static AlpacaTemplate Wide { get; } = AlpacaTemplate.Create(
        "miniature-wide",
        "Alpaca's headers on one line and without marks, for the wider world: the input is the dialogue so far.",
        "{input} " + Request,
        Request,
        "Response:");

    /// <summary>The wider world's dialogues in Jinja, as <c>chat_template.jinja</c> holds it.</summary>
    public const string Chat =
        "{{- bos_token }}\n"
        + "{%- for message in messages %}\n"
        + "    {%- if message['role'] == 'user' %}\n"
        + "        {{- ('' if loop.first else ' ') + 'Instruction: ' + message['content'] + ' Response:' }}\n"
        + "    {%- else %}\n"
        + "        {{- ' ' + message['content'] }}\n"
        + "        {%- if loop.last %}{{- eos_token }}{%- endif %}\n"
        + "    {%- endif %}\n"
        + "{%- endfor %}\n";

    /// <summary>The template of a world.</summary>
    public static AlpacaTemplate Of(World world) => world.Dials.Wider is null ? First : Wide;

    /// <summary>The template as alpaca-lora's JSON.</summary>
    public static string Json(World world) => Json(Of(world));

    /// <inheritdoc cref="Json(World)"/>
    public static string Json(AlpacaTemplate template) => new JsonObject
    {
        ["description"] = template.Description,
        ["prompt_input"] = template.PromptInput,
        ["prompt_no_input"] = template.PromptNoInput,
        ["response_split"] = template.ResponseSplit,
    }.ToJsonString(Document) + "\n";
}
