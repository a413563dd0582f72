using System.CommandLine;
using SafeLlama.Data;

namespace SafeLlama.Cli;

/// <summary>Options that several verbs share: one spelling, one explanation, one default.</summary>
internal static class CommonOptions
{
    public static Option<string> Model() => new("--model")
    {
        Description = "A model folder in Hugging Face layout (config.json, model.safetensors, tokenizer files), or a "
            + "GGUF file.",
        HelpName = "DIR|FILE.gguf",
        Required = true,
    };

    public static Option<string?> Adapter() => new("--adapter")
    {
        Description = "A PEFT adapter folder to put beside the model's linears.",
        HelpName = "DIR",
    };

    public static Option<string> Out(string what) => new("--out")
    {
        Description = $"{what} A folder that is not empty is refused.",
        HelpName = "DIR",
        Required = true,
    };

    public static Option<string> Device() => new("--device")
    {
        Description =
            "Where to compute: cpu, cpu:bf16 (large products in bf16), cuda (fp32), cuda:bf16 (tensor cores), or reference (fp64, slow, for checking).",
        HelpName = "cpu|cpu:bf16|cuda|cuda:bf16|reference",
        DefaultValueFactory = _ => "cpu",
    };

    public static Option<int> Threads() => new("--threads")
    {
        Description = "Threads of the cpu device; results do not depend on it.",
        HelpName = "N",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    public static Option<long> Seed() => new("--seed")
    {
        Description = "Seeds every random choice.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    public static Option<bool> Json() => new("--json")
    {
        Description = "Print the result as one JSON object on stdout.",
    };

    public static Option<bool> Resume() => new("--resume")
    {
        Description = "Go on with the run that --out holds.",
    };

    /// <summary>0: what the model was made for.</summary>
    public static Option<int> MaxLength()
    {
        var option = new Option<int>("--max-length")
        {
            Description =
                "The most tokens of a sequence, prompt and answer together; 0 is what the model was made for.",
            HelpName = "TOKENS",
            DefaultValueFactory = _ => 0,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var length) && length is < 0 or 1)
            {
                result.AddError($"--max-length {token.Value}: expected 0, or at least 2 tokens.");
            }
        });
        return option;
    }

    public static Option<string> Template() => new("--template")
    {
        Description = "How a request is put to the model: auto (what the adapter was trained with, else the model's own "
            + $"chat template, else alpaca), {string.Join(", ", PromptTemplate.Names)}, a Jinja file, or an Alpaca "
            + "template's JSON file.",
        HelpName = "NAME|FILE",
        DefaultValueFactory = _ => TemplateResolver.Auto,
    };
}
