using System.Text;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>
/// Makes the tables of <c>docs/models.md</c> by loading what they name, and compares them with the page.
/// </summary>
/// <remarks>With <c>SAFELLAMA_WRITE_PAGES=1</c> the page is written anew.</remarks>
public sealed class ModelsPageTests
{
    private const string Loads = "loads";

    private static readonly (string Name, string Fields)[] Architectures =
    [
        ("LLaMA 1 and 2", """{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}"""),
        ("grouped queries, tied embeddings", """{"num_key_value_heads": 2, "tie_word_embeddings": true}"""),
        ("biases in attention and feed-forward", """{"attention_bias": true, "mlp_bias": true}"""),
        ("LLaMA 3.1 and later (`rope_type` llama3)", """
            {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": 8192}, "max_position_embeddings": 131072}
            """),
        ("linear RoPE scaling", """{"rope_scaling": {"type": "linear", "factor": 2.0}}"""),
        ("RoPE as transformers 5 writes it", """
            {"rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}}
            """),
        ("RoPE that old and new fields give differently", """
            {"rope_parameters": {"rope_theta": 500000.0}, "rope_theta": 10000.0}
            """),
        ("RoPE of a part of a head", """{"partial_rotary_factor": 0.5}"""),
        ("layers without RoPE", """{"no_rope_layers": [1, 0]}"""),
        ("scaled logits, embeddings or residuals", """{"logits_scaling": 8.0, "embedding_multiplier": 12.0}"""),
        ("dynamic RoPE scaling", """{"rope_scaling": {"type": "dynamic", "factor": 2.0}}"""),
        ("YaRN", """{"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}"""),
        ("Mistral without a sliding window", """
            {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": null}
            """),
        ("Mistral with a sliding window", """
            {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 4096}
            """),
        ("Mixtral", """{"architectures": ["MixtralForCausalLM"], "model_type": "mixtral"}"""),
        ("Qwen 2", """{"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}"""),
        ("Gemma", """{"architectures": ["GemmaForCausalLM"], "model_type": "gemma", "hidden_act": "gelu"}"""),
        ("Phi 3", """{"architectures": ["Phi3ForCausalLM"], "model_type": "phi3"}"""),
        ("LLaMA 4", """{"architectures": ["Llama4ForConditionalGeneration"], "model_type": "llama4"}"""),
    ];

    private static readonly (string Name, string Folder)[] Tokenizers =
    [
        ("LLaMA 1 and 2, `tokenizer.model` alone", "tok-llama2-spm"),
        ("LLaMA 3, Meta's `tokenizer.model` alone", "tok-llama3-tiktoken"),
        ("TinyLlama-1.1B-Chat", "tok-tinyllama-chat"),
        ("SmolLM2-Instruct", "tok-smollm2"),
        ("Mistral v1", "tok-mistral-v1"),
        ("Mistral v3", "tok-mistral-v3"),
        ("OpenLLaMA", "tok-openllama-spm"),
        ("stories260K", "stories260K"),
    ];

    private static readonly (string Name, string Patch)[] Rules =
    [
        ("added tokens with `lstrip`, `rstrip`, `single_word`, `normalized`", """
            {"added_tokens": [{"id": 720, "content": "<think>", "special": false, "lstrip": true, "rstrip": true,
             "single_word": true, "normalized": true}]}
            """),
        ("Metaspace first", """
            {"normalizer": null, "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}}
            """),
        ("normalizers Prepend and Replace", "{}"),
        ("normalizer NFC", """{"normalizer": {"type": "NFC"}}"""),
        ("normalizer Lowercase", """{"normalizer": {"type": "Lowercase"}}"""),
        ("Split, all behaviors", """
            {"normalizer": null, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
             {"type": "Split", "pattern": {"Regex": "[[:alpha:]]+|\\p{N}++"}, "behavior": "MergedWithNext"},
             {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}}
            """),
        ("Split by a script (`\\p{Han}`)", """
            {"normalizer": null, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
             {"type": "Split", "pattern": {"Regex": "\\p{Han}+"}, "behavior": "Isolated"},
             {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}}
            """),
        ("Punctuation, Whitespace, BertPreTokenizer", """{"pre_tokenizer": {"type": "Whitespace"}}"""),
        ("post-processor TemplateProcessing", "{}"),
        ("post-processor BertProcessing", """{"post_processor": {"type": "BertProcessing"}}"""),
        ("model WordPiece", """{"model": {"type": "WordPiece", "vocab": {"a": 0}}}"""),
        ("model Unigram", """{"model": {"type": "Unigram", "vocab": []}}"""),
        ("BPE with dropout", """{"model": {"type": "BPE", "dropout": 0.1, "vocab": {"a": 0}}}"""),
    ];

    private static readonly (string Template, string Tokenizer)[] Templates =
    [
        ("tok-tinyllama-chat/tokenizer_config.json", "tok-tinyllama-chat"),
        ("meta-llama-Llama-3.1-8B-Instruct", "tok-llama3-tiktoken"),
        ("meta-llama-Llama-3.2-3B-Instruct", "tok-llama3-tiktoken"),
        ("mistralai-Mistral-Nemo-Instruct-2407", "tok-mistral-v3"),
        ("microsoft-Phi-3.5-mini-instruct", "tok-tinyllama-chat"),
        ("Qwen-Qwen2.5-7B-Instruct", "tok-smollm2"),
    ];

    [Test]
    public void The_page_says_what_loads_and_what_is_refused()
    {
        var page = Path.Combine(TestFiles.Root, "docs", "models.md");
        var made = Page();
        if (Environment.GetEnvironmentVariable("SAFELLAMA_WRITE_PAGES") == "1")
        {
            File.WriteAllText(page, made);
        }

        Assert.That(File.ReadAllText(page), Is.EqualTo(made), "SAFELLAMA_WRITE_PAGES=1 writes the page anew");
    }

    private static string Page()
    {
        var text = new StringBuilder("""
            # Models, tokenizers, templates

            What SafeLlama reads, and what it refuses and why. The tables are made by `ModelsPageTests`, which loads
            each thing named here. A refusal is one line that names the file and the field, and ends with exit code 3.

            A model is a folder in Hugging Face layout, downloaded before: nothing is downloaded here. In a hub cache
            that is a snapshot, `models--ORG--NAME/snapshots/REVISION`, with its links as they are; where the folder
            above it is named, the error names the snapshot.

            ## Architectures

            What `config.json` may say. Fields that are not named are LLaMA's.

            | architecture | |
            |---|---|

            """);
        Rows(text, Architectures.Select(a => (a.Name, Try(() => Architecture(a.Fields)))));
        text.Append("""

            ## Tokenizers

            `tokenizer.json` is taken where it is there, else `tokenizer.model`. Ids are those of the model's own
            library.

            | tokenizer | |
            |---|---|

            """);
        Rows(text, Tokenizers.Select(t =>
            (t.Name, Try(() => Describe(TokenizerLoader.Load(TestFiles.Real(t.Folder)))))));
        text.Append("""

            What `tokenizer.json` may ask for: everything that changes ids is computed or refused.

            | rule | |
            |---|---|

            """);
        Rows(text, Rules.Select(r => (r.Name, Try(() => Rule(r.Patch)))));
        text.Append("""

            ## Templates

            Named ones (`--template`):
            """);
        text.Append(' ').AppendJoin(", ", PromptTemplate.Names).Append("""
            . A model's own chat template, in Jinja, is taken by `--template auto`:

            | template | with the tokens of | |
            |---|---|---|

            """);
        foreach (var (name, tokenizer) in Templates)
        {
            text.Append($"| {name} | {tokenizer} | {Cell(Try(() => Template(name, tokenizer)))} |\n");
        }

        return text.ToString();
    }

    private static void Rows(StringBuilder text, IEnumerable<(string Name, string Outcome)> rows)
    {
        foreach (var (name, outcome) in rows)
        {
            text.Append($"| {name} | {Cell(outcome)} |\n");
        }
    }

    /// <summary>What it gives, or why it is refused, without the path, which is another on every machine.</summary>
    private static string Try(Func<string> load)
    {
        try
        {
            return load();
        }
        catch (SafeLlamaException e)
        {
            var fault = System.Text.RegularExpressions.Regex.Replace(e.Fault, @"^\S*/([^/\s]+?):? ", "$1: ");
            return "refused: " + fault;
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Architecture(string fields)
    {
        var config = JsonNode.Parse(
            File.ReadAllText(Path.Combine(TestFiles.Reference, "models", "A-mha", "config.json")))!.AsObject();
        Patch(config, fields);
        var folder = TestFiles.NewFolder();
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        LlamaConfig.Load(folder);
        return Loads;
    }

    private static string Describe(ITokenizer tokenizer) =>
        $"{Loads}: {tokenizer.VocabularySize} ids, {(tokenizer.BosId is { } bos ? $"BOS {bos}" : "no BOS")}, "
        + $"end {tokenizer.EosId}";

    private static string Rule(string patch)
    {
        var source = Path.Combine(
            TestFiles.Reference, "tokenizer", patch.Contains("ByteLevel", StringComparison.Ordinal) ? "llama3" : "sp");
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "tokenizer.json")))!.AsObject();
        if (JsonNode.Parse(patch)!["added_tokens"] is { } more)
        {
            json["added_tokens"]!.AsArray().Add(more[0]!.DeepClone());
        }
        else
        {
            Patch(json, patch);
        }

        var folder = TestFiles.NewFolder();
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), json.ToJsonString());
        TokenizerLoader.Load(folder);
        return Loads;
    }

    private static string Template(string name, string tokenizer)
    {
        var folder = TestFiles.Real(tokenizer);
        var file = ChatTemplateFile.Find(folder);
        if (!name.Contains('/', StringComparison.Ordinal))
        {
            var source = File.ReadAllText(TestFiles.Real($"chat-templates/{name}.jinja"));
            file = new ChatTemplateFile(name, source, file?.SpecialTokens ?? new Dictionary<string, string>());
        }

        var template = new JinjaTemplate(file!, TokenizerLoader.Load(folder));
        template.Render(new ConversationExample(
            [ChatMessage.User("a"), ChatMessage.Assistant("b"), ChatMessage.User("c"), ChatMessage.Assistant("d")]));
        return $"renders; an answer ends with {(template.EndOfTurn is { } end ? $"`{end}`" : "no token")}";
    }

    private static void Patch(JsonObject target, string fields)
    {
        foreach (var (name, value) in JsonNode.Parse(fields)!.AsObject())
        {
            target[name] = value?.DeepClone();
        }
    }
}
