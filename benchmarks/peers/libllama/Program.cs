// libllama decoding some sequences side by side, greedily: one line of JSON with tokens, seconds and CPU seconds.
//
//   peer-libllama --model FILE.gguf --batch 8 --gen 64 --threads 1
//
// The key-value cache is fp32 and flash attention off, as the model it is held against computes.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LLama.Native;

string Option(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length
    ? args[at + 1] : throw new ArgumentException($"{name} is missing");
int Number(string name) => int.Parse(Option(name), CultureInfo.InvariantCulture);

NativeLibraryConfig.All.WithLogCallback((_, _) => { });
NativeApi.llama_empty_call();
var (batch, generated, threads) = (Number("--batch"), Number("--gen"), Number("--threads"));
var settings = LLamaModelParams.Default();
settings.n_gpu_layers = 0;
using var model = SafeLlamaModelHandle.LoadFromFile(Option("--model"), settings);
var context = LLamaContextParams.Default();
context.n_ctx = (uint)((generated + 4) * batch);
context.n_batch = context.n_ubatch = (uint)Math.Max(batch, 32);
context.n_seq_max = (uint)batch;
context.n_threads = context.n_threads_batch = threads;
context.type_k = context.type_v = GGMLType.GGML_TYPE_F32;
context.llama_flash_attn_type = LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_DISABLED;
using var session = model.CreateContext(context);
Decode(Math.Min(generated, 8));
var (cpu, start) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
Decode(generated);
Console.WriteLine(JsonSerializer.Serialize(new
{
    tokens = batch * generated,
    seconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
    cpu_seconds = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds,
}));

// The prompt of sequence i is the two ids 1 and i + 3; its reading counts, as it does in a server.
void Decode(int count)
{
    session.MemoryClear(true);
    var next = Enumerable.Range(0, batch).Select(i => (int[])[1, i + 3]).ToArray();
    for (var (at, step) = (0, 0); step < count; step++)
    {
        var rows = new LLamaBatch();
        var last = new int[batch];
        for (var i = 0; i < batch; i++)
        {
            for (var j = 0; j < next[i].Length; j++)
            {
                var row = rows.Add(next[i][j], at + j, (LLamaSeqId)i, logits: j == next[i].Length - 1);
                last[i] = row;
            }
        }

        at += next[0].Length;
        if (session.Decode(rows) != DecodeResult.Ok)
        {
            throw new InvalidOperationException("libllama could not decode");
        }

        for (var i = 0; i < batch; i++)
        {
            next[i] = [Largest(session.GetLogitsIth(last[i]))];
        }
    }
}

static int Largest(ReadOnlySpan<float> logits)
{
    var best = 0;
    for (var i = 1; i < logits.Length; i++)
    {
        best = logits[i] > logits[best] ? i : best;
    }

    return best;
}
