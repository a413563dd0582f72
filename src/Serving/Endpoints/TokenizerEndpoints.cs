using Microsoft.AspNetCore.Http;
using SafeLlama.Common;

namespace SafeLlama.Serving;

/// <summary><c>/tokenize</c>, <c>/detokenize</c> and <c>/tokenizer_info</c>, in vLLM's form.</summary>
internal sealed class TokenizerEndpoints(ServingEngine engine)
{
    private readonly Data.ITokenizer _tokenizer = engine.Session.Tokenizer;

    public async Task Tokenize(HttpContext context)
    {
        var fields = await Body.Read(context);
        fields.Accept("model");
        var text = RequestFields.TextOf(fields.Require("prompt"), "prompt");
        var adds = fields.Find("add_special_tokens") is null || fields.Flag("add_special_tokens");
        fields.RefuseOthers();

        // The text of BOS alone is BOS: harnesses ask so for the empty context.
        int[] ids = _tokenizer.BosId is { } begin && text == Spelled(begin) ? [begin]
            : adds ? PromptLimits.WithBegin(_tokenizer, text) : [.. _tokenizer.Encode(text)];
        await Reply.Write(context, new { tokens = ids, count = ids.Length, max_model_len = engine.MaxLength });
    }

    public async Task Detokenize(HttpContext context)
    {
        var fields = await Body.Read(context);
        fields.Accept("model");
        var ids = CompletionRequest.Ids(fields.Require("tokens"));
        fields.RefuseOthers();
        if (Array.Exists(ids, id => (uint)id >= (uint)_tokenizer.VocabularySize))
        {
            throw new ApiException(
                400, $"A token id is outside the vocabulary of {_tokenizer.VocabularySize}.", "tokens");
        }

        await Reply.Write(context, new { prompt = _tokenizer.Decode(ids, keepControl: true) });
    }

    public Task Info(HttpContext context) => Reply.Write(context, new
    {
        eos_token = Spelled(_tokenizer.EosId),
        bos_token = _tokenizer.BosId is { } begin ? Spelled(begin) : null,
        chat_template = Template(),
        vocabulary_size = _tokenizer.VocabularySize,
    });

    private string Spelled(int id) => _tokenizer.Decode([id], keepControl: true);

    /// <summary>The base's template in Jinja; null where it cannot be written so.</summary>
    private string? Template()
    {
        try
        {
            return engine.Models[0].Template.Jinja;
        }
        catch (SafeLlamaException)
        {
            return null;
        }
    }
}
