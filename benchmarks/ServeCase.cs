using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Benchmarks;

/// <summary>Sequences that a program decodes side by side, measured once a round.</summary>
internal abstract class ServeCase(string name, int batch)
{
    public string Name => name;

    public int Batch => batch;

    /// <summary>Tokens a second.</summary>
    public Sample Wall { get; } = new();

    /// <summary>Tokens for each second of a processor.</summary>
    public Sample Cpu { get; } = new();

    public void Measure()
    {
        var (tokens, seconds, cpu) = Run();
        Wall.Add(tokens / seconds);
        Cpu.Add(tokens / cpu);
    }

    protected abstract (double Tokens, double Seconds, double Cpu) Run();

    /// <summary>Starts a program that is given as a line.</summary>
    public static Process Start(string program, params IEnumerable<string> arguments)
    {
        var words = program.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Process.Start(new ProcessStartInfo(words[0], [.. words[1..], .. arguments])
        {
            RedirectStandardOutput = true,
        }) ?? throw SafeLlamaException.Usage($"{program}: does not start.");
    }
}

/// <summary>Our server, asked over HTTP; its own CPU time alone is counted.</summary>
internal sealed class OwnServeCase(Process server, HttpClient client, string model, int batch, int generated)
    : ServeCase("safellama serve", batch)
{
    protected override (double Tokens, double Seconds, double Cpu) Run()
    {
        var prompts = Enumerable.Range(0, Batch).Select(i => (int[])[1, i + 3]).ToArray();
        server.Refresh();
        var (cpu, start) = (server.TotalProcessorTime, Stopwatch.GetTimestamp());
        using var response = client.PostAsJsonAsync(
            "v1/completions", new { model, prompt = prompts, max_tokens = generated, temperature = 0 }).Result;
        using var answer = JsonDocument.Parse(response.Content.ReadAsStringAsync().Result);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        server.Refresh();
        var tokens = answer.RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt32();
        return (tokens, seconds, (server.TotalProcessorTime - cpu).TotalSeconds);
    }
}

/// <summary>A peer, a process of its own for each measurement, which counts its own time.</summary>
internal sealed class PeerServeCase(string program, string file, int threads, int batch, int generated)
    : ServeCase("libllama", batch)
{
    protected override (double Tokens, double Seconds, double Cpu) Run()
    {
        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        using var process = Start(
            program, "--model", file, "--batch", Text(Batch), "--gen", Text(generated), "--threads", Text(threads));
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var line = output.Split('\n').LastOrDefault(l => l.StartsWith('{')) ?? throw SafeLlamaException.Usage(
            $"{program}: printed no line of JSON (exit code {process.ExitCode}).");
        using var result = JsonDocument.Parse(line);
        double Number(string field) => result.RootElement.GetProperty(field).GetDouble();
        return (Number("tokens"), Number("seconds"), Number("cpu_seconds"));
    }
}
