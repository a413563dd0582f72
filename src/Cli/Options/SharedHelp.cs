using SafeLlama.Data;
using SafeLlama.Kernels;

namespace SafeLlama.Cli.Options;

/// <summary>What help says of the options that several verbs share: one spelling, one explanation.</summary>
internal static class SharedHelp
{
    public const string RowFormats = ".json, .jsonl, .csv, .parquet or .txt, also gzipped";

    public const string NewRows = "Where the rows are written: a new .jsonl file. One that exists is refused.";

    public const string OneRun = "An evaluation run's folder.";

    /// <param name="property">The property that the option sets.</param>
    /// <returns>The explanation, and what help shows for the value; empty for a switch.</returns>
    public static (string Help, string Value) Of(string property) => property switch
    {
        "Model" => ("A model folder in Hugging Face layout (config.json, model.safetensors, tokenizer files), or a "
            + "GGUF file.", "DIR|FILE.gguf"),
        "Adapter" => ("A PEFT adapter folder to put beside the model's linears, or a run of `train` that holds one.",
            "DIR"),
        "Load" => ("What the linears become as the checkpoint is read: stored leaves them; int8 quantizes rows to "
            + "bytes, and activations too (LLM.int8()); int8-weights leaves activations; nf4 takes 4 bits. "
            + "Embeddings, head and norms stay. --device says what is computed in.", ""),
        "Nested" => ("With --load nf4: quantize the absmax values once more, to a byte each (double quantization).",
            ""),
        "Device" => ("Where to compute, and in what: cpu (fp32), cpu:bf16 (large products in bf16), cuda (fp32), "
            + "cuda:bf16 (tensor cores), or reference (fp64, slow, for checking). Over a quantized base this is the "
            + $"compute type (bnb_4bit_compute_dtype). Of cuda: {GpuBackend.State}.",
            "cpu|cpu:bf16|cuda|cuda:bf16|reference"),
        "Threads" => ("Threads of the cpu device; results do not depend on it.", "N"),
        "Seed" => ("Seeds every random choice.", "N"),
        "Json" => ("Print the result as one JSON object on stdout.", ""),
        "Resume" => ("Go on with the run that --out holds.", ""),
        "MaxLength" => ("The most tokens of a sequence, prompt and answer together; 0 is what the model was made for.",
            "TOKENS"),
        "Template" => ("How a request is put to the model: auto (what the adapter was trained with, else the model's "
            + $"own chat template, else alpaca), {string.Join(", ", PromptTemplate.Names)}, a Jinja file, or an "
            + "Alpaca template's JSON file.", "NAME|FILE"),
        _ => throw new ArgumentOutOfRangeException(nameof(property), property, "is no shared option"),
    };
}
