// The network of Diehl & Cook 2015 as a hand-written loop, float32. Build: g++ -O3 -march=native -std=c++17 loop.cpp -o loop
// Usage: loop FILE IMAGES INPUTS NEURONS STEP_MS SHOWN_STEPS REST_STEPS; FILE holds float32: images (Hz), weights, thresholds (V).
// Prints one line of JSON. -DPER_STEP draws a random number for each input and step, instead of one for each spike.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>
using Floats = std::vector<float>;

int main(int, char** a) {
    const int images = atoi(a[2]), M = atoi(a[3]), N = atoi(a[4]), lit = atoi(a[6]), dark = atoi(a[7]);
    const float dt = atof(a[5]) * 1e-3f;
    Floats rates(size_t(images) * M), w(size_t(M) * N), theta(N);
    FILE* f = fopen(a[1], "rb");
    if (!f || fread(rates.data(), 4, rates.size(), f) != rates.size() || fread(w.data(), 4, w.size(), f) != w.size()
        || fread(theta.data(), 4, N, f) != size_t(N)) { fprintf(stderr, "cannot read %s\n", a[1]); return 1; }
    fclose(f);
    std::mt19937 rng(1);
    std::uniform_real_distribution<float> uniform(0.f, 1.f);
    Floats v(N, -65e-3f), ge(N), gi(N), post(N), slow(N), vi(N, -60e-3f), gei(N), pre(M), sum(N);
    std::vector<int> wait(N), waiti(N), fired, firedi, next(M);
    const float e1 = expf(-dt / 1e-3f), e2 = expf(-dt / 2e-3f), e20 = expf(-dt / 20e-3f), e40 = expf(-dt / 40e-3f);
    const int refractory = lroundf(5e-3f / dt), refractory_i = lroundf(2e-3f / dt);
    long in_spikes = 0, out_spikes = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int image = 0; image < images; image++) {
        std::fill(sum.begin(), sum.end(), 0.f);
        for (int i = 0; i < M; i++) for (int j = 0; j < N; j++) sum[j] += w[size_t(i) * N + j];
        for (int i = 0; i < M; i++) for (int j = 0; j < N; j++)
            w[size_t(i) * N + j] = fminf(w[size_t(i) * N + j] * 78.f / sum[j], 1.f);
        for (int j = 0; j < N; j++) theta[j] *= expf(-(lit + dark) * dt / 1e4f);
        const float* rate = &rates[size_t(image) * M];
        auto draw = [&](int i) { return int(log1pf(-uniform(rng)) / log1pf(-rate[i] * dt)); };
#ifndef PER_STEP
        for (int i = 0; i < M; i++) next[i] = rate[i] > 0 ? draw(i) : lit;
#endif
        for (int step = 0; step < lit + dark; step++) {
            fired.clear(); firedi.clear();
            for (int j = 0; j < N; j++) {  // exponential Euler
                const float g = 1 + ge[j] + gi[j], target = (-65e-3f - 0.1f * gi[j]) / g;
                const float moved = target + (v[j] - target) * expf(-dt * g / 0.1f);
                v[j] = wait[j] > 0 ? v[j] : moved;
                ge[j] *= e1; gi[j] *= e2; post[j] *= e20; slow[j] *= e40; wait[j]--;
            }
            for (int j = 0; j < N; j++) {
                const float g = 1 + gei[j], target = -60e-3f / g;
                const float moved = target + (vi[j] - target) * expf(-dt * g / 0.01f);
                vi[j] = waiti[j] > 0 ? vi[j] : moved;
                gei[j] *= e1; waiti[j]--;
            }
            for (int i = 0; i < M; i++) pre[i] *= e20;
            for (int j = 0; j < N; j++) if (wait[j] <= 0 && v[j] > -72e-3f + theta[j]) fired.push_back(j);
            for (int j = 0; j < N; j++) if (waiti[j] <= 0 && vi[j] > -40e-3f) firedi.push_back(j);
            for (int j : fired) {
                gei[j] += 10.4f; v[j] = -65e-3f; theta[j] += 0.05e-3f; wait[j] = refractory;
                for (int i = 0; i < M; i++) w[size_t(i) * N + j] = fminf(w[size_t(i) * N + j] + 0.01f * pre[i] * slow[j], 1.f);
                post[j] = slow[j] = 1;
            }
            for (int j : firedi) {
                for (int k = 0; k < N; k++) gi[k] += 17.f;
                gi[j] -= 17.f; vi[j] = -45e-3f; waiti[j] = refractory_i;
            }
            if (step < lit) for (int i = 0; i < M; i++) {
#ifdef PER_STEP
                if (uniform(rng) >= rate[i] * dt) continue;
#else
                if (next[i] != step) continue;
                next[i] += 1 + draw(i);
#endif
                float* row = &w[size_t(i) * N];
                for (int j = 0; j < N; j++) {
                    ge[j] += row[j];
                    row[j] = fmaxf(row[j] - 1e-4f * post[j], 0.f);
                }
                pre[i] = 1; in_spikes++;
            }
            out_spikes += fired.size();
        }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    printf("{\"seconds\": %.6f, \"input_spikes\": %ld, \"output_spikes\": %ld, \"version\": \"%s\"}\n", seconds, in_spikes, out_spikes,
           __VERSION__);
}
